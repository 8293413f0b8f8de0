import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Deployment } from "../../scripts/start/local-servers.ts";
import { startTinyDeployment, visitorAddress } from "../support/deployment.ts";
import { freePort } from "../support/free-port.ts";
import { startMadeServer } from "../support/made-server.ts";
import { runNode } from "../support/run-node.ts";

let deployment: Deployment;

beforeAll(async () => {
  deployment = await startTinyDeployment();
});
afterAll(() => deployment.stop());

const smoke = (...args: string[]) => runNode(["--import", "tsx", "scripts/smoke.ts", ...args]);

interface Answer {
  status: number;
  headers: Headers;
  body: Buffer;
}

type Spoil = (request: { method: string; path: string }, answer: Answer) => void;

/** The deployment through a proxy that spoils its answers. */
async function spoiltDeployment(spoil: Spoil): Promise<string> {
  const address = visitorAddress();
  const { origin, stop } = await startMadeServer(async (request, response) => {
    const { method = "GET", url = "/" } = request;
    const headers = Object.entries(request.headers).flatMap(([name, value]): [string, string][] =>
      typeof value === "string" && /^(content-type|if-none-match)$/.test(name) ? [[name, value]] : [],
    );
    const body = /^(GET|HEAD)$/.test(method) ? null : new Uint8Array(await buffer(request));
    headers.push(["CF-Connecting-IP", address]);
    const answer = await fetch(`${deployment.edge}${url}`, { method, headers, body });
    const told = { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) };
    const kept = new Headers(told.headers);
    for (const name of ["content-encoding", "content-length", "transfer-encoding", "connection"]) kept.delete(name);
    const spoilt = { ...told, headers: kept };
    spoil({ method, path: url.split("?")[0] ?? url }, spoilt);
    response.writeHead(spoilt.status, Object.fromEntries(spoilt.headers)).end(spoilt.body);
  });
  onTestFinished(stop);
  return origin;
}

describe("npm run tool -- smoke", () => {
  test("finds every route of a sound deployment as it should be", async () => {
    const { code, stdout, stderr } = await smoke(deployment.edge);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.match(/^ {2}ok /gm)).toHaveLength(14);
    expect(stdout).toMatch(/from the cache: edge-caption; hit/);
    expect(stdout).toMatch(/of text is refused: 415 unsupported_media_type/);
    expect(stdout.trim().split("\n").at(-1)).toBe("everything works");
  });

  test.each<[string, Spoil, string]>([
    [
      "a cache that never hits",
      (_, { headers }) => headers.set("Cache-Status", "edge-caption; fwd=miss"),
      "wrong  POST /v1/captions answers the same picture from the cache: expected a hit within 0 s, received edge-caption; fwd=miss: is the KV namespace bound?",
    ],
    [
      "look-ups without an ETag",
      (_, { headers }) => headers.delete("ETag"),
      "wrong  GET /v1/captions/{id} finds it, and answers 304 to its ETag: expected an ETag, received none",
    ],
    [
      "a proxy that answers for a route",
      ({ path }, answer) => {
        if (path === "/v1/captions/lookup")
          Object.assign(answer, { status: 404, body: Buffer.from("<h1>Not found</h1>") });
      },
      "wrong  POST /v1/captions/lookup finds it among others: upstream_error: expected a reply of the contract, received status 404",
    ],
    [
      "a page that lets everything in",
      (_, { headers }) => headers.delete("Content-Security-Policy"),
      "wrong  GET / is the page: expected a content security policy, received none",
    ],
    [
      "an answer that the contract does not know",
      ({ path }, answer) => {
        if (path === "/readyz") answer.body = Buffer.from("{}");
      },
      "wrong  GET /readyz says that the service behind it is ready: the answer is not what the contract says",
    ],
  ])("says in words what is wrong with %s", async (_, spoil, sentence) => {
    const { code, stdout } = await smoke(await spoiltDeployment(spoil), "--hit-seconds", "0");
    expect(stdout).toContain(sentence);
    expect(stdout).toMatch(/[12] of 14 checks failed\n$/);
    expect(code).toBe(1);
  });

  test("asks nothing else where nobody answers", async () => {
    const { code, stdout } = await smoke(`http://127.0.0.1:${await freePort()}`);
    expect(stdout).toMatch(/wrong {2}GET \/healthz .*: no answer: connect ECONNREFUSED .*\nnothing else was asked\n$/);
    expect(code).toBe(1);
  });

  test("refuses what is no address", async () => {
    const { code, stderr } = await smoke("captions");
    expect(stderr).toContain("Expected an address such as https://captions.example.com.");
    expect(code).toBe(2);
  });
});
