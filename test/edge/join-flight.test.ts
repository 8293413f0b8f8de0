import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { byteIdOf, photoIdsOf } from "../../shared/photo-id.ts";
import {
  callWorker,
  faultyService,
  freshPhoto,
  postPhoto,
  readCaption,
  readProblem,
  startFreshDeployment,
  watchWarnings,
  withComment,
} from "./call-worker.ts";

/** A KV that has nothing, as for a minute after a miss, and a Cache API that does nothing, as on workers.dev. */
const absentKv = {
  get: () => Promise.resolve(null),
  getWithMetadata: () => Promise.resolve({ value: null, metadata: null }),
  put: () => Promise.resolve(),
};
const slowMs = 400; // of the services that count their runs

beforeEach(async () => {
  await startFreshDeployment();
  vi.spyOn(caches.default, "match").mockResolvedValue(undefined);
  onTestFinished(() => void vi.restoreAllMocks());
});

async function runsOf(photo: Uint8Array<ArrayBuffer>, name: "slow" | "failsFirst" = "slow"): Promise<number> {
  const { SERVICE_ORIGINS } = faultyService(name);
  return Number(await (await fetch(`${SERVICE_ORIGINS}/runs/${await byteIdOf(photo)}`)).text());
}

async function flightOf(photo: Uint8Array<ArrayBuffer>) {
  const { contentId } = await photoIdsOf(photo);
  return env.FLIGHTS.getByName(`${contentId}/0123456789ab`);
}

const uncached = (name: Parameters<typeof faultyService>[0]) => ({
  environment: { ...faultyService(name), CAPTIONS: absentKv },
});

describe("200 uploads of a photo while no cache knows it", () => {
  test.each([
    ["at once", () => 0],
    ["staggered over three times the model's time", (index: number) => (index * 3 * slowMs) / 200],
  ])("are one run of the model and 200 equal answers: %s", { timeout: 20_000 }, async (_, delayMs) => {
    const photo = freshPhoto();
    const uploads = Array.from({ length: 200 }, async (_, index) => {
      await scheduler.wait(delayMs(index));
      return postPhoto(photo, uncached("slow"));
    });
    const responses = await Promise.all(uploads);
    const bodies = await Promise.all(responses.map((response) => response.text()));
    expect(responses.every(({ status }) => status === 200)).toBe(true);
    expect(new Set(bodies).size).toBe(1);
    const statuses = responses.map(({ headers }) => headers.get("Cache-Status"));
    expect(statuses.filter((status) => status === "edge-caption; fwd=miss; stored")).toHaveLength(1);
    expect(statuses.filter((status) => status === "edge-caption; fwd=miss; collapsed")).toHaveLength(199);
    expect(await runsOf(photo)).toBe(1);
  });
});

describe("uploads at the same time", () => {
  test("are one run when they show the same, and each is answered for its own file", async () => {
    const photo = freshPhoto();
    const other = withComment(photo, "a dog runs");
    const [first, second] = await Promise.all([photo, other].map((file) => postPhoto(file, uncached("slow"))));
    expect((await readCaption(first as Response)).id).toBe(await byteIdOf(photo));
    const result = await readCaption(second as Response);
    expect(result).toMatchObject({ id: await byteIdOf(other), image: { bytes: other.length } });
    expect((await runsOf(photo)) + (await runsOf(other))).toBe(1);
  });

  test("are a run each when their options differ", async () => {
    const photo = freshPhoto();
    const queries = ["?beam=1", "?beam=2"];
    await Promise.all(queries.map((query) => postPhoto(photo, { query, ...uncached("slow") })));
    expect(await runsOf(photo)).toBe(2);
  });
});

describe("when the service fails the one who asks it", () => {
  test("that one alone gets the error; the next asks again, and the rest get that answer", async () => {
    const photo = freshPhoto();
    const responses = await Promise.all(Array.from({ length: 10 }, () => postPhoto(photo, uncached("failsFirst"))));
    const failed = responses.filter(({ status }) => status !== 200);
    expect(failed).toHaveLength(1);
    await readProblem(failed[0] as Response, "invalid_image");
    expect(await runsOf(photo, "failsFirst")).toBe(2);
  });

  test("all are answered when it fails every time", async () => {
    watchWarnings();
    const photo = freshPhoto();
    const responses = await Promise.all(Array.from({ length: 10 }, () => postPhoto(photo, uncached("crashed"))));
    for (const response of responses) await readProblem(response, "upstream_error");
  });

  test("all are answered within their time when it never says anything", async () => {
    watchWarnings();
    const photo = freshPhoto();
    const environment = { ...uncached("silent").environment, UPSTREAM_TIMEOUT_MS: "300" };
    await callWorker("/v1/model", { environment: faultyService("slow") }); // so that the revision is known
    const begun = Date.now();
    const responses = await Promise.all(Array.from({ length: 10 }, () => postPhoto(photo, { environment })));
    for (const response of responses) await readProblem(response, "upstream_timeout");
    expect(Date.now() - begun).toBeLessThan(2000);
  });
});

describe("when the object that brings them together fails", () => {
  test("is restarted in mid-flight, all get an answer from the one that comes after it", async () => {
    watchWarnings();
    const photo = freshPhoto();
    const uploads = Array.from({ length: 20 }, () => postPhoto(photo, uncached("slow")));
    await scheduler.wait(slowMs / 2);
    await runInDurableObject(await flightOf(photo), (_, state) => state.abort("restarted")).catch(() => undefined);
    const responses = await Promise.all(uploads);
    expect(responses.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(await runsOf(photo)).toBe(2);
  });

  test("cannot be had at all, each request asks the service itself", async () => {
    const warnings = watchWarnings();
    const photo = freshPhoto();
    const FLIGHTS = { getByName: () => ({ join: () => Promise.reject(new Error("no such object")) }) };
    const response = await postPhoto(photo, { environment: { ...uncached("slow").environment, FLIGHTS } });
    expect(response.headers.get("Cache-Status")).toBe("edge-caption; fwd=miss; stored");
    expect(warnings()).toContainEqual(expect.objectContaining({ msg: "a flight could not be joined", attempt: 2 }));
  });
});

test("hands nobody a result of another revision than the one they came for, once it is known", async () => {
  const photo = freshPhoto();
  await callWorker("/v1/model"); // the real service's revision is believed in
  await postPhoto(photo, uncached("slow")); // has another
  await callWorker("/v1/model");
  const response = await postPhoto(photo, { environment: { CAPTIONS: absentKv } });
  expect(response.headers.get("Cache-Status")).toBe("edge-caption; fwd=miss; stored");
});
