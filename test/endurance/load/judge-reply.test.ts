import { describe, expect, test } from "vitest";
import { type ErrorCode, errorFacts } from "../../../shared/errors.ts";
import { judgeReply } from "./judge-reply.ts";

const id = `sha256:${"a".repeat(64)}`;
const result = {
  id,
  caption: "two dogs",
  confidence: 0.4,
  candidates: [{ caption: "two dogs", confidence: 0.4, logProb: -3, words: [{ word: "two", probability: 0.6 }] }],
  image: { format: "jpeg", width: 500, height: 375, bytes: 81_234 },
  model: { id: "tiny", revision: "0123456789ab" },
  options: { beam: 3, candidates: 1 },
};

function caption(changes: object = {}, headers: Record<string, string> = {}) {
  return { status: 200, headers: new Headers(headers), text: JSON.stringify({ ...result, ...changes }) };
}

function problem(code: ErrorCode, { status = errorFacts[code].status as number, headers = {} } = {}) {
  const document = { type: "about:blank", title: "Sorry", status, code, detail: "why", requestId: "1" };
  return {
    status,
    headers: new Headers({ "Content-Type": "application/problem+json", ...headers }),
    text: JSON.stringify(document),
  };
}

describe("judgeReply", () => {
  test("takes a caption of the photo for an answer, from the cache or not", () => {
    const told = { kind: "answered", caption: "two dogs", revision: "0123456789ab" };
    expect(judgeReply(caption(), { id })).toEqual({ ...told, isHit: false });
    const hit = caption({}, { "Cache-Status": "edge-caption; hit; detail=kv" });
    expect(judgeReply(hit, { id })).toEqual({ ...told, isHit: true });
  });

  test("takes a problem document for a refusal", () => {
    expect(judgeReply(problem("upstream_error"), { id })).toEqual({ kind: "refused", code: "upstream_error" });
    const busy = problem("overloaded", { headers: { "Retry-After": "2" } });
    expect(judgeReply(busy, { id })).toEqual({ kind: "refused", code: "overloaded" });
  });

  test.each([
    ["a caption of another photo", caption({ id: `sha256:${"b".repeat(64)}` })],
    ["a success that is no caption", { status: 200, headers: new Headers(), text: "{}" }],
    ["a page", { status: 502, headers: new Headers({ "Content-Type": "text/html" }), text: "<h1>Bad gateway</h1>" }],
    ["a refusal as a plain object", { ...problem("upstream_error"), headers: new Headers() }],
    ["a code with another's status", problem("upstream_error", { status: 504 })],
    ["a full house that does not say when to come back", problem("overloaded")],
    ["an answer that stops in the middle", { ...caption(), text: '{"id":"sha2' }],
  ])("counts as lost %s", (_, reply) => {
    expect(judgeReply(reply, { id })).toMatchObject({ kind: "lost", why: expect.stringMatching(/^status \d+: .+/) });
  });
});
