import { abortAllDurableObjects } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { nearCacheOrigin } from "../../edge/caption-cache.ts";
import {
  callWorker,
  faultyService,
  freshPhoto,
  postPhoto,
  readCaption,
  startFreshDeployment,
  startFreshIsolate,
  watchWarnings,
} from "./call-worker.ts";

const miss = "edge-caption; fwd=miss; stored";
const brokenKv = {
  get: () => Promise.reject(new Error("KV is down")),
  getWithMetadata: () => Promise.reject(new Error("KV is down")),
  put: () => Promise.reject(new Error("KV GET failed: 429 Too Many Requests")),
};

beforeEach(async () => {
  await startFreshDeployment();
  watchWarnings();
});

/** Looks up in a data centre that has no Cache API entries, so that only KV answers. */
async function cacheStatusElsewhere(photo: Uint8Array<ArrayBuffer>): Promise<string | null> {
  const response = await postPhoto(photo, { dataCentre: crypto.randomUUID() });
  expect(response.status).toBe(200);
  return response.headers.get("Cache-Status");
}

async function keyInKv(photo: Uint8Array<ArrayBuffer>): Promise<string> {
  const { contentId, model } = await readCaption(await postPhoto(photo));
  return `caption/${model.revision}/${contentId}?beam=3&candidates=1`;
}

describe("what is kept in KV", () => {
  test("is the answer's body with the time it was stored, for as long as the setting says", async () => {
    const photo = freshPhoto();
    const response = await postPhoto(photo, { environment: { CACHE_TTL_SECONDS: "3600" } });
    const key = await keyInKv(photo);
    const { value, metadata } = await env.CAPTIONS.getWithMetadata(key);
    expect(value).toBe(await response.text());
    expect(metadata).toEqual({ storedAtMs: expect.any(Number) });
    const { keys } = await env.CAPTIONS.list({ prefix: key });
    expect(keys[0]?.expiration).toBeGreaterThan(Date.now() / 1000 + 3500);
    expect(keys[0]?.expiration).toBeLessThan(Date.now() / 1000 + 3700);
  });

  test.each([
    ["cut off", (body: string) => body.slice(0, 100), { storedAtMs: 1 }],
    ["of another shape", () => '{"caption":"a dog"}', { storedAtMs: 1 }],
    ["without its time", (body: string) => body, null],
  ])("is a miss when it is %s, and whole again after that", async (_, damage, metadata) => {
    const photo = freshPhoto();
    const key = await keyInKv(photo);
    await env.CAPTIONS.put(key, damage((await env.CAPTIONS.get(key)) ?? ""), { metadata });
    await abortAllDurableObjects(); // which remember the result for a while
    expect(await cacheStatusElsewhere(photo)).toBe(miss);
    expect(await cacheStatusElsewhere(photo)).toBe("edge-caption; hit; detail=kv");
  });

  test("has its age told", async () => {
    const photo = freshPhoto();
    const key = await keyInKv(photo);
    const body = (await env.CAPTIONS.get(key)) ?? "";
    await env.CAPTIONS.put(key, body, { metadata: { storedAtMs: Date.now() - 90_000 } });
    const response = await postPhoto(photo, { dataCentre: "aged" });
    expect(response.headers.get("Age")).toMatch(/^9\d$/);
    const fromEdgeCache = await postPhoto(photo, { dataCentre: "aged" });
    expect(fromEdgeCache.headers.get("Cache-Status")).toContain("cache-api");
    expect(fromEdgeCache.headers.get("Age")).toMatch(/^9\d$/);
  });
});

describe("what is kept in a data centre's cache", () => {
  test.each([
    ["3600", "7200", 3600],
    ["86400", "600", 600],
  ])("lives as long as the shorter of its two limits: %s and %s", async (near, ttl, seconds) => {
    const photo = freshPhoto();
    await postPhoto(photo, { environment: { NEAR_CACHE_SECONDS: near, CACHE_TTL_SECONDS: ttl } });
    const origin = nearCacheOrigin({ tombstones: env.TOMBSTONES });
    const response = await caches.default.match(`${origin}/${await keyInKv(photo)}`);
    expect(response?.headers.get("Cache-Control")).toBe(`max-age=${seconds}`);
  });
});

describe("a failing layer", () => {
  test("fails no upload when it is KV, and the Cache API still answers the next", async () => {
    const photo = freshPhoto();
    const environment = { CAPTIONS: brokenKv };
    expect((await postPhoto(photo, { environment })).headers.get("Cache-Status")).toBe(miss);
    const second = await postPhoto(photo, { environment });
    expect(second.headers.get("Cache-Status")).toBe("edge-caption; hit; detail=cache-api");
  });

  test("fails no look-up when it is KV", async () => {
    const posted = await postPhoto(freshPhoto());
    const environment = { CAPTIONS: brokenKv };
    const address = posted.headers.get("Content-Location") ?? "";
    expect((await callWorker(address, { environment })).status).toBe(200);
    expect((await callWorker(address, { environment, dataCentre: "nowhere" })).status).toBe(404);
  });

  test("fails no upload when it is the Cache API, and KV still answers the next", async () => {
    const broken = () => Promise.reject(new Error("the Cache API is down"));
    vi.spyOn(caches.default, "match").mockImplementation(broken);
    vi.spyOn(caches.default, "put").mockImplementation(broken);
    onTestFinished(() => void vi.restoreAllMocks());
    const photo = freshPhoto();
    expect((await postPhoto(photo)).headers.get("Cache-Status")).toBe(miss);
    expect((await postPhoto(photo)).headers.get("Cache-Status")).toBe("edge-caption; hit; detail=kv");
  });
});

describe("while the service is down", () => {
  test("serves a cached caption, to uploads and look-ups alike", async () => {
    const photo = freshPhoto();
    const posted = await postPhoto(photo);
    const environment = faultyService("absent");
    expect((await postPhoto(photo, { environment })).status).toBe(200);
    expect((await callWorker(posted.headers.get("Content-Location") ?? "", { environment })).status).toBe(200);
  });

  test("serves it from a fresh isolate in another data centre too", async () => {
    const photo = freshPhoto();
    const posted = await postPhoto(photo);
    const elsewhere = { environment: faultyService("absent"), dataCentre: "elsewhere" };
    startFreshIsolate();
    expect((await postPhoto(photo, elsewhere)).headers.get("Cache-Status")).toBe("edge-caption; hit; detail=kv");
    startFreshIsolate();
    expect((await callWorker(posted.headers.get("Content-Location") ?? "", elsewhere)).status).toBe(200);
  });
});
