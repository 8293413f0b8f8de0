import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { captionResultSchema, modelCardSchema } from "../../../shared/contract.ts";
import { madeImage } from "../../fixtures/made-images.ts";
import { postCaption, problemOf, type RunningService, startService } from "../running-service.ts";

let service: RunningService;
const photo = await madeImage("jpeg", { width: 500, height: 375 });

beforeAll(async () => {
  service = await startService();
});
afterAll(async () => {
  await service.stop();
});

describe("POST /v1/captions", () => {
  test("answers with a result of the contract", async () => {
    const response = await postCaption(service, photo);
    const card = modelCardSchema.parse(await (await fetch(`${service.origin}/v1/model`)).json());

    expect(response.status).toBe(200);
    const result = captionResultSchema.strict().parse(await response.json());
    expect(result.id).toBe(`sha256:${createHash("sha256").update(photo).digest("hex")}`);
    expect(result.image).toEqual({ format: "jpeg", width: 500, height: 375, bytes: photo.length });
    expect(result.model).toEqual({ id: card.id, revision: card.revision });
    expect(result.options).toEqual({ beam: 3, candidates: 1 });
    expect(result.candidates).toHaveLength(1);
    expect(result.caption).toBe(result.candidates[0]?.caption);
  });

  test("answers with as many candidates as were asked for", async () => {
    const response = await postCaption(service, photo, { target: "/v1/captions?beam=5&candidates=4" });

    const result = captionResultSchema.parse(await response.json());
    expect(result.options).toEqual({ beam: 5, candidates: 4 });
    expect(result.candidates).toHaveLength(4);
  });

  test("answers in the form that was asked for, and says so", async () => {
    const target = "/v1/captions?beam=4&candidates=4&maxWords=6&style=sentence&neutral=true&keywords=true";
    const response = await postCaption(service, photo, { target });

    const { candidates, options, keywords } = captionResultSchema.strict().parse(await response.json());
    expect(options).toEqual({ beam: 4, candidates: 4, maxWords: 6, style: "sentence", neutral: true, keywords: true });
    for (const { caption } of candidates) {
      expect(caption).toMatch(/^[A-Z].*\.$/);
      expect(caption).not.toMatch(/\b(?:man|woman|boy|girl)\b|\b(?:a|an|the|with|in|on)\.$/i);
    }
    expect(keywords?.length).toBeGreaterThan(0);
  });

  test("answers a photo sent alone and in company the same", async () => {
    const alone = await (await postCaption(service, photo)).json();
    const company = await Promise.all(Array.from({ length: 12 }, () => postCaption(service, photo)));

    for (const response of company) expect(await response.json()).toEqual(alone);
  });

  test("tells how long each phase took", async () => {
    const response = await postCaption(service, photo);

    const phases = response.headers.get("Server-Timing")?.split(", ") ?? [];
    expect(phases.map((phase) => phase.replace(/\d+(\.\d)?$/, "…"))).toEqual(
      ["decode", "queue", "encode", "search", "total"].map((name) => `${name};dur=…`),
    );
    const [total = 0, ...parts] = phases.map((phase) => Number(phase.split("=")[1])).toReversed();
    expect(parts.reduce((sum, part) => sum + part)).toBeLessThanOrEqual(total + 0.5); // rounded to tenths
  });

  test.each([
    ["beam=0", 'expected beam to be one whole number from 1 to 10, received "0"'],
    ["beam=eleven", 'expected beam to be one whole number from 1 to 10, received "eleven"'],
    ["beam=2&candidates=3", "expected candidates to be at most beam, received candidates=3 and beam=2"],
    ["maxWords=4", 'expected maxWords to be one whole number from 5 to 20, received "4"'],
    ["style=title", 'expected style to be plain or sentence, received "title"'],
    ["neutral=yes", 'expected neutral to be true or false, received "yes"'],
    ["keywords=true&keywords=true", "expected keywords to be true or false, received it more than once"],
    ["beams=2", 'unknown query parameter "beams": expected beam, candidates, maxWords, style, neutral or keywords'],
  ])("refuses ?%s", async (query, detail) => {
    const response = await postCaption(service, photo, { target: `/v1/captions?${query}` });

    expect(response.status).toBe(400);
    expect(await problemOf(response)).toMatchObject({ code: "invalid_request", detail });
  });

  test("gives up at X-Deadline-Ms", async () => {
    const response = await postCaption(service, photo, { headers: { "X-Deadline-Ms": "0" } });

    expect(response.status).toBe(504);
    expect(await problemOf(response)).toMatchObject({ code: "upstream_timeout" });
  });

  test("refuses an X-Deadline-Ms that is no number", async () => {
    const response = await postCaption(service, photo, { headers: { "X-Deadline-Ms": "soon" } });

    expect(response.status).toBe(400);
    expect(await problemOf(response)).toMatchObject({ code: "invalid_request" });
  });
});
