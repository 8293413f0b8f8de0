import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { photoIdsOf } from "../../shared/photo-id.ts";
import {
  callWorker,
  faultyService,
  freshPhoto,
  image,
  postPhoto,
  readCaption,
  startFreshDeployment,
  watchWarnings,
  withComment,
} from "./call-worker.ts";
import { madeKey } from "./made-keys.ts";

const stored = "edge-caption; fwd=miss; stored";
const query = "?beam=3&candidates=1";
/** A service that captions within 400 ms, with the revision that the edge believes in. */
const slow = { environment: faultyService("slow") };
const ids = ["id", "contentId"] as const;

type Call = Parameters<typeof callWorker>[1];

beforeEach(async () => {
  await startFreshDeployment();
  await callWorker("/v1/model", slow);
});

async function remove(id: string | undefined, call: Call = slow) {
  const { headers } = await madeKey({ scopes: ["admin"] });
  const response = await callWorker(`/v1/captions/${id}`, { method: "DELETE", headers, ...call });
  expect(response.status).toBe(200);
  return response.json<{ lastsSeconds: number }>();
}

const lookUp = (id: string | undefined, call: Call = slow) => callWorker(`/v1/captions/${id}${query}`, call);

/** Looks everywhere a caption may still be: here, in KV, and in a data centre with an empty near cache. */
async function expectGone(photo: Uint8Array<ArrayBuffer>): Promise<void> {
  const { id, contentId = id } = await photoIdsOf(photo);
  for (const one of [id, contentId]) {
    expect((await lookUp(one)).status).toBe(404);
    expect((await lookUp(one, { ...slow, dataCentre: crypto.randomUUID() })).status).toBe(404);
    const body = JSON.stringify({ ids: [one] });
    const many = await callWorker("/v1/captions/lookup", { method: "POST", body, ...slow });
    expect(await many.json()).toEqual({ found: {}, missing: [one] });
    expect((await env.CAPTIONS.list({ prefix: `file/${one}` })).keys).toEqual([]);
  }
}

/** Starts an upload whose bytes arrive on demand. */
function slowUpload(photo: Uint8Array<ArrayBuffer>) {
  const { readable, writable } = new FixedLengthStream(photo.length);
  const response = callWorker("/v1/captions", { method: "POST", body: readable, ...slow });
  return {
    response,
    async finish() {
      const writer = writable.getWriter();
      await writer.write(photo);
      await writer.close();
    },
  };
}

describe("a caption that is deleted while it is made", () => {
  test.each(ids)("does not come back when its run ends: by %s", async (name) => {
    const photo = freshPhoto();
    const upload = postPhoto(photo, slow);
    await scheduler.wait(150);
    await remove((await photoIdsOf(photo))[name]);
    const response = await upload;
    expect(response.headers.get("Cache-Status")).toBe("edge-caption; fwd=miss");
    await readCaption(response);
    await expectGone(photo);
  });

  test("does not come back for a photo that has no content id", async () => {
    const photo = new Uint8Array([...image("gif"), ...crypto.getRandomValues(new Uint8Array(8))]);
    const upload = postPhoto(photo, slow);
    await scheduler.wait(150);
    await remove((await photoIdsOf(photo)).id);
    expect((await upload).status).toBe(200);
    await expectGone(photo);
  });

  test("does not come back by those who wait for it, nor with other options", async () => {
    const photo = freshPhoto();
    const queries = [query, query, query, "?beam=1", "?beam=10&candidates=5"];
    const uploads = queries.map((one) => postPhoto(photo, { query: one, ...slow }));
    const elsewhere = postPhoto(photo, { ...slow, dataCentre: "waiter" });
    await scheduler.wait(150);
    await remove((await photoIdsOf(photo)).contentId);
    for (const upload of [...uploads, elsewhere]) expect((await upload).status).toBe(200);
    await expectGone(photo);
    const { id } = await photoIdsOf(photo);
    for (const one of ["?beam=1", "?beam=10&candidates=5"]) {
      expect((await callWorker(`/v1/captions/${id}${one}`, slow)).status).toBe(404);
    }
    expect((await lookUp(id, { ...slow, dataCentre: "waiter" })).status).toBe(404);
  });

  test("does not come back by another file that shows the same", async () => {
    const photo = freshPhoto();
    const upload = postPhoto(withComment(photo, "a dog runs"), slow);
    await scheduler.wait(150);
    await remove((await photoIdsOf(photo)).contentId);
    await upload;
    await expectGone(photo);
  });

  test("does not come back when its upload began before and ended after", async () => {
    const photo = freshPhoto();
    const { response, finish } = slowUpload(photo);
    await scheduler.wait(20);
    await remove((await photoIdsOf(photo)).id);
    await finish();
    await readCaption(await response);
    await expectGone(photo);
  });

  test("is taken out again when the deletion comes while it is being stored", async () => {
    const photo = freshPhoto();
    const { id } = await photoIdsOf(photo);
    let isDeleted = false;
    const put = async (...parts: Parameters<KVNamespace["put"]>) => {
      if (!isDeleted && parts[0].startsWith("caption/")) {
        isDeleted = true;
        await remove(id);
      }
      await env.CAPTIONS.put(...parts);
    };
    const CAPTIONS = {
      get: getFromKv,
      getWithMetadata: (key: string) => env.CAPTIONS.getWithMetadata(key),
      delete: deleteInKv,
      put,
    };
    const upload = await postPhoto(photo, { environment: { ...slow.environment, CAPTIONS } });
    expect(upload.headers.get("Cache-Status")).toBe(stored);
    await expectGone(photo);
  });
});

const getFromKv = (key: string) => env.CAPTIONS.get(key);
const deleteInKv = (key: string) => env.CAPTIONS.delete(key);

describe("a caption that is deleted", () => {
  test("is gone with those of every other search and form", async () => {
    const photo = freshPhoto();
    const { id } = await photoIdsOf(photo);
    const queries = [
      "?beam=1",
      "?beam=10&candidates=5",
      "?maxWords=5",
      "?beam=10&candidates=2&maxWords=20&neutral=true",
    ];
    for (const one of queries) expect((await postPhoto(photo, { query: one })).status).toBe(200);
    await remove(id, {});
    for (const one of queries) expect((await callWorker(`/v1/captions/${id}${one}`)).status).toBe(404);
    expect((await env.CAPTIONS.list({ prefix: "caption/" })).keys.filter(({ name }) => name.includes(id))).toEqual([]);
  });

  test("is gone by whichever of its names the worker is called", async () => {
    const photo = freshPhoto();
    const { id } = await readCaption(await postPhoto(photo, slow));
    expect((await lookUp(id, { ...slow, host: "other.test" })).headers.get("Cache-Status")).toContain("cache-api");
    await remove(id);
    for (const host of ["edge.test", "other.test"]) expect((await lookUp(id, { ...slow, host })).status).toBe(404);
  });

  test("is captioned and stored anew when its photo is uploaded after that", async () => {
    const photo = freshPhoto();
    await postPhoto(photo, slow);
    await remove((await photoIdsOf(photo)).id);
    expect((await postPhoto(photo, slow)).headers.get("Cache-Status")).toBe(stored);
    const { id, contentId } = await photoIdsOf(photo);
    for (const one of [id, contentId]) expect((await lookUp(one)).status).toBe(200);
    expect((await lookUp(id, { ...slow, dataCentre: "kv-alone" })).headers.get("Cache-Status")).toContain("kv");
  });

  test("is captioned anew even while a run that began before is under way", async () => {
    const photo = freshPhoto();
    const before = postPhoto(photo, slow);
    await scheduler.wait(100);
    await remove((await photoIdsOf(photo)).contentId);
    const after = await postPhoto(photo, slow);
    expect(after.headers.get("Cache-Status")).toBe(stored);
    expect((await before).headers.get("Cache-Status")).toBe("edge-caption; fwd=miss");
    expect((await lookUp((await photoIdsOf(photo)).id)).status).toBe(200);
  });

  test("is not taken over from a KV that lags where it was deleted", async () => {
    const photo = freshPhoto();
    await postPhoto(photo, slow);
    const { id, contentId } = await photoIdsOf(photo);
    const { keys } = await env.CAPTIONS.list();
    const lagging = new Map(
      await Promise.all(keys.map(async ({ name }) => [name, await env.CAPTIONS.getWithMetadata(name)] as const)),
    );
    const getWithMetadata = (key: string) => Promise.resolve(lagging.get(key) ?? { value: null, metadata: null });
    const CAPTIONS = { getWithMetadata, get: getFromKv, delete: deleteInKv, put: deleteInKv };
    await remove(id);
    const environment = { ...slow.environment, CAPTIONS };
    for (const one of [id, contentId]) expect((await lookUp(one, { environment })).status).toBe(404);
    await expectGone(photo);
  });

  test("is remembered for ten minutes, and then nothing is kept of it", async () => {
    const photo = freshPhoto();
    const { id, contentId } = await readCaption(await postPhoto(photo, slow));
    await remove(id);
    for (const one of [id, contentId]) {
      const tombstone = env.TOMBSTONES.getByName(String(one));
      const alarmInMs = await runInDurableObject(tombstone, async (_, { storage }) => (await storage.getAlarm()) ?? 0);
      expect(alarmInMs - Date.now()).toBeGreaterThan(590_000);
      await runDurableObjectAlarm(tombstone);
      expect((await runInDurableObject(tombstone, (_, { storage }) => storage.list())).size).toBe(0);
    }
  });
});

describe("a deletion by the id of a file of which KV does not know yet what it shows", () => {
  const lags = {
    get: () => Promise.resolve(null),
    getWithMetadata: () => Promise.resolve({ value: null, metadata: null }),
  };
  const environment = { ...slow.environment, CAPTIONS: { ...lags, put: deleteInKv, delete: deleteInKv } };

  test("is done again when KV's lag is over, and says so", async () => {
    const photo = freshPhoto();
    const { id, contentId } = await readCaption(await postPhoto(photo, slow));
    const { lastsSeconds } = await remove(id, { environment, dataCentre: "lagging" });
    expect(lastsSeconds).toBe(3600 + 60 + 90);
    expect((await lookUp(contentId)).status).toBe(200);
    await secondLook(id);
    for (const one of [id, contentId])
      expect((await lookUp(one, { ...slow, dataCentre: "kv-alone" })).status).toBe(404);
    expect((await env.CAPTIONS.list({ prefix: `file/${id}` })).keys).toEqual([]);
  });

  test("leaves what was uploaded since", async () => {
    const photo = freshPhoto();
    const { id } = await photoIdsOf(photo);
    await remove(id);
    await postPhoto(photo, slow);
    await secondLook(id);
    expect((await lookUp(id)).status).toBe(200);
  });

  /** The object runs with the environment of wrangler.toml, which names no service. */
  async function secondLook(id: string): Promise<void> {
    const settings = { SERVICE_ORIGINS: "https://captions.example.com", SERVICE_SECRET: "0123456789abcdef" };
    Object.assign(env, settings);
    onTestFinished(() => void Object.keys(settings).map((name) => Reflect.deleteProperty(env, name)));
    expect(await runDurableObjectAlarm(env.TOMBSTONES.getByName(id))).toBe(true);
  }
});

describe("where tombstones cannot be had", () => {
  const TOMBSTONES = {
    getByName: () => ({ place: () => Promise.reject(new Error("no such object")) }),
    idFromName: () => "broken",
  };
  const environment = { ...slow.environment, TOMBSTONES };

  test("a caption is kept near by alone, for as long as that lasts", async () => {
    watchWarnings();
    const photo = freshPhoto();
    expect((await postPhoto(photo, { environment })).headers.get("Cache-Status")).toBe("edge-caption; fwd=miss");
    const { contentId } = await photoIdsOf(photo);
    const nearBy = await lookUp(contentId, { environment });
    expect(nearBy.headers.get("Cache-Status")).toBe("edge-caption; hit; detail=cache-api");
    expect((await lookUp(contentId)).status).toBe(404);
  });

  test("a deletion says how long at most what it could not stop may last", async () => {
    const warnings = watchWarnings();
    const photo = freshPhoto();
    await postPhoto(photo, slow);
    expect((await remove((await photoIdsOf(photo)).id, { environment })).lastsSeconds).toBe(2_592_000);
    expect(warnings()).toContainEqual(expect.objectContaining({ msg: "a deletion could not be remembered" }));
  });
});
