import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { isolateState } from "../../edge/isolate-state.ts";
import { callWorker, image, startFreshDeployment, watchConsole, watchWarnings } from "./call-worker.ts";
import { madeKey } from "./made-keys.ts";

beforeEach(startFreshDeployment);
afterEach(() => expect(isolateState.bufferedBytes).toBe(0));

/** Makes a body of a number of bytes that reports whether all of it was read. */
function watchedBody(bytes: number, first = new Uint8Array()) {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  let isTaken = false;
  const write = async () => {
    await writer.write(first);
    for (let left = bytes - first.length; left > 0; left -= 65_536) {
      await writer.write(new Uint8Array(Math.min(left, 65_536)));
    }
    await writer.close();
    isTaken = true;
  };
  void write().catch(() => undefined);
  return { readable, isTaken: () => isTaken };
}

interface Refused {
  status: number;
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  environment?: Record<string, unknown>;
}

const json = { "Content-Type": "application/json" };
const noMore = { PUBLIC_LIMIT: { limit: async () => ({ success: false }) } };

describe("the body of a refused request", () => {
  test.each<Refused>([
    { status: 400, path: "/v1/captions?beam=0" },
    { status: 401, method: "DELETE", path: `/v1/captions/sha256:${"0".repeat(64)}` },
    { status: 404, path: "/nothing" },
    { status: 405, path: "/" },
    { status: 405, method: "PUT" },
    { status: 413, headers: { "Content-Length": "30000000" } },
    { status: 413, path: "/v1/captions/lookup", headers: json },
    { status: 413, headers: { "Content-Type": "multipart/form-data; boundary=cut" } },
    { status: 413 },
    { status: 415, headers: { "Content-Type": "application/x-www-form-urlencoded" } },
    { status: 415, headers: { "Content-Encoding": "gzip" } },
    { status: 429, environment: noMore },
    { status: 500, environment: { SERVICE_SECRET: "short" } },
  ])("is read to its end: $status $method $path $headers", async ({ status, ...call }) => {
    watchConsole("error");
    const { readable, isTaken } = watchedBody(24_000_000);
    const response = await callWorker(call.path ?? "/v1/captions", {
      method: "POST",
      body: readable,
      ...call,
      environment: { ASSETS: env.ASSETS, ...call.environment },
    });
    expect(response.status).toBe(status);
    await vi.waitUntil(isTaken);
  });

  test("is read to its end where a key does not let its owner in, and where there is no room", async () => {
    watchWarnings();
    const { key } = await madeKey({ scopes: ["admin"] });
    const forbidden = watchedBody(1_000_000);
    const refused = await callWorker("/v1/captions", {
      method: "POST",
      body: forbidden.readable,
      headers: { Authorization: `Bearer ${key}` },
      environment: { ACCESS: "keys" },
    });
    const hold = isolateState.uploads.holdFor("");
    hold.growTo(42 * 1024 * 1024);
    const tooMany = watchedBody(1_000_000, image("photo"));
    const full = await callWorker("/v1/captions", { method: "POST", body: tooMany.readable });
    hold.release();
    expect([refused.status, full.status]).toEqual([403, 503]);
    await vi.waitUntil(() => forbidden.isTaken() && tooMany.isTaken());
  });

  test("is given up where it does not go on, and where it has no end", async () => {
    const standing = new IdentityTransformStream();
    void standing.writable.getWriter().write(new Uint8Array(10_000));
    const environment = { MAX_BYTES: "1", BODY_TIMEOUT_MS: "600" };
    const post = (body: ReadableStream) => callWorker("/v1/captions", { method: "POST", body, environment });
    expect((await post(standing.readable)).status).toBe(413);
    expect((await post(watchedBody(Number.POSITIVE_INFINITY).readable)).status).toBe(413);
  });
});
