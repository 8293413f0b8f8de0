import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, inject, test } from "vitest";
import { faultyService, freshPhoto, image, postPhoto, readCaption, watchWarnings } from "../call-worker.ts";
import { bucket, deliver, jobsCaller, messagesOf, queue, startWithoutJobs } from "./made-job.ts";

beforeEach(startWithoutJobs);

const stateOf = async (job: string) =>
  (
    await env.JOBS_DB.prepare("SELECT object, state, tries FROM photos WHERE job = ?1 ORDER BY object")
      .bind(job)
      .all<{ object: string; state: string; tries: number }>()
  ).results;

describe("a job over a bucket", () => {
  test("captions what are photos, once each, and gives each other object its reason", async () => {
    const photo = freshPhoto();
    await bucket.put("a/dog.jpg", photo);
    await bucket.put("a/same dog.jpg", photo);
    await bucket.put("b/broken.jpg", image("truncatedJpeg"));
    await bucket.put("b/notes.txt", image("text"));
    await bucket.put("b/empty.jpg", new Uint8Array());
    await bucket.put("a/dog.jpg.json", "{}");
    await bucket.put("folder/", "");
    const caller = await jobsCaller();
    const job = await caller.start({ bucket: "photos" });
    expect(job).toMatchObject({ state: "running", listed: 5, done: 0, source: { bucket: "photos", prefix: "" } });
    expect(await deliver(await messagesOf(job.id))).toEqual({ acked: ["message 0"], retried: [] });

    const over = await caller.read(job.id);
    expect(over).toMatchObject({ state: "done", listed: 5, done: 2, failed: 3 });
    expect(over.endedAt).toBeDefined();
    const results = await caller.results(job.id);
    expect(results.map(({ object, state, error }) => [object, state, error?.code])).toEqual([
      ["a/dog.jpg", "done", undefined],
      ["a/same dog.jpg", "done", undefined],
      ["b/broken.jpg", "failed", "invalid_image"],
      ["b/empty.jpg", "failed", "invalid_request"],
      ["b/notes.txt", "failed", "unsupported_media_type"],
    ]);
    const [first, second] = results;
    expect(first?.caption).toBe(second?.caption);
    expect(first?.id).toMatch(/^sha256:/);
    expect(first?.candidates).toBeUndefined();
  });

  test("lets people pass: its photos have bulk priority in the service", async () => {
    const captioned = async () => {
      const metrics = await (await fetch(`${inject("serviceOrigin")}/metrics`)).text();
      const [, count = "0"] = /edge_caption_requests_total\{outcome="ok",priority="bulk"\} (\d+)/.exec(metrics) ?? [];
      return Number(count);
    };
    const before = await captioned();
    await bucket.put("dog.jpg", freshPhoto());
    const caller = await jobsCaller();
    const job = await caller.start({ bucket: "photos" });
    await deliver(await messagesOf(job.id));

    expect(await caller.read(job.id)).toMatchObject({ state: "done", done: 1 });
    expect(await captioned()).toBeGreaterThan(before);
  });

  test("a person who uploads the photo that a job is at does not wait for the job", async () => {
    watchWarnings();
    const photo = freshPhoto();
    await bucket.put("dog.jpg", photo);
    const caller = await jobsCaller();
    const job = await caller.start({ bucket: "photos" });
    const messages = await messagesOf(job.id);
    const service = { ...faultyService("silentToJobs"), UPSTREAM_TIMEOUT_MS: "5000" };
    const delivery = deliver(messages, service);
    await scheduler.wait(1000); // the job has its flight by then
    await readCaption(await postPhoto(photo, { environment: service }));
    expect(await caller.read(job.id)).toMatchObject({ done: 0 });
    await delivery;
    await deliver(messages, service);
    expect(await caller.read(job.id)).toMatchObject({ state: "done", done: 1, cached: 1 });
  }, 30_000);

  test("reads only what begins with the prefix, and keeps as many candidates as were asked for", async () => {
    await bucket.put("2024/dog.jpg", freshPhoto());
    await bucket.put("2025/dog.jpg", freshPhoto());
    const caller = await jobsCaller();
    const job = await caller.start({ bucket: "photos", prefix: "2024/" }, { beam: 4, candidates: 2 });
    await deliver(await messagesOf(job.id));
    const [only, ...others] = await caller.results(job.id);
    expect(others).toEqual([]);
    expect(only?.object).toBe("2024/dog.jpg");
    expect(only?.candidates).toHaveLength(2);
    expect(only?.candidates?.[0]?.caption).toBe(only?.caption);
  });

  test("a batch that is delivered twice changes nothing the second time", async () => {
    await bucket.put("one.jpg", freshPhoto());
    await bucket.put("two.jpg", image("text"));
    const caller = await jobsCaller();
    const job = await caller.start({ bucket: "photos" });
    const messages = await messagesOf(job.id);
    await deliver([...messages, ...messages]);
    const [after, results] = [await caller.read(job.id), await caller.results(job.id)];
    expect(await deliver(messages)).toEqual({ acked: ["message 0"], retried: [] });
    expect({ ...(await caller.read(job.id)) }).toEqual(after);
    expect(await caller.results(job.id)).toEqual(results);
    expect(after).toMatchObject({ state: "done", done: 1, failed: 1 });
  });

  test("counts what a cache held", async () => {
    await bucket.put("one.jpg", freshPhoto());
    const caller = await jobsCaller();
    const first = await caller.start({ bucket: "photos" });
    await deliver(await messagesOf(first.id));
    const second = await caller.start({ bucket: "photos" });
    await deliver(await messagesOf(second.id));
    expect(await caller.read(first.id)).toMatchObject({ done: 1, cached: 0 });
    expect(await caller.read(second.id)).toMatchObject({ done: 1, cached: 1 });
    expect(await caller.results(second.id)).toMatchObject([{ isCached: true }]);
  });

  test("an object that is gone when its turn comes has failed", async () => {
    await bucket.put("one.jpg", freshPhoto());
    const caller = await jobsCaller();
    const job = await caller.start({ bucket: "photos" });
    await bucket.delete("one.jpg");
    await deliver(await messagesOf(job.id));
    const error = { code: "not_found", detail: "the object is gone" };
    expect(await caller.results(job.id)).toEqual([{ object: "one.jpg", state: "failed", error }]);
  });

  test("a bucket without photos is done at once", async () => {
    const caller = await jobsCaller();
    const job = await caller.start({ bucket: "photos", prefix: "none/" });
    expect(job).toMatchObject({ state: "done", listed: 0 });
  });

  test("writes sidecars, which are no photos to any job", async () => {
    await bucket.put("one.jpg", freshPhoto());
    const caller = await jobsCaller();
    const job = await caller.start({ bucket: "photos", sidecars: "json" });
    await deliver(await messagesOf(job.id));
    const sidecar = await bucket.get("one.jpg.json");
    const [result] = await caller.results(job.id);
    expect(await sidecar?.json()).toMatchObject({ caption: result?.caption, id: result?.id });
    expect(await caller.start({ bucket: "photos" })).toMatchObject({ listed: 1 });
  });

  test("writes its sidecar again, and none over somebody else's file", async () => {
    await bucket.put("one.jpg", freshPhoto());
    await bucket.put("two.jpg", freshPhoto());
    await bucket.put("two.jpg.json", "somebody else's");
    const caller = await jobsCaller();
    const sidecarOf = async (key: string) => (await bucket.get(`${key}.json`))?.text();
    const first = await caller.start({ bucket: "photos", sidecars: "json" });
    await deliver(await messagesOf(first.id));
    expect(JSON.parse((await sidecarOf("one.jpg")) ?? "")).toMatchObject({ options: { beam: 3 } });
    const second = await caller.start({ bucket: "photos", sidecars: "json" }, { beam: 4, candidates: 2 });
    await deliver(await messagesOf(second.id));
    expect(JSON.parse((await sidecarOf("one.jpg")) ?? "")).toMatchObject({ options: { beam: 4 } });
    expect(await sidecarOf("two.jpg")).toBe("somebody else's");
    expect(await caller.read(second.id)).toMatchObject({ state: "done", done: 2 });
  });
});

test("a job over addresses fetches them as an upload of an address does", async () => {
  const site = inject("photoSources");
  const caller = await jobsCaller();
  const job = await caller.start({ urls: [`${site}/photo.jpg`, `${site}/page`, `${site}/photo.jpg`] });
  expect(job).toMatchObject({ listed: 2 });
  await deliver(await messagesOf(job.id));
  const [page, photo] = await caller.results(job.id);
  expect(photo).toMatchObject({ object: `${site}/photo.jpg`, state: "done" });
  expect(page).toMatchObject({ state: "failed", error: { code: "unsupported_media_type" } });
});

describe("what has to wait", () => {
  test("goes back as one message with the service's delay, and spends no try", async () => {
    for (const name of ["one", "two", "three"]) await bucket.put(`${name}.jpg`, freshPhoto());
    const caller = await jobsCaller();
    const job = await caller.start({ bucket: "photos" });
    const [message] = await messagesOf(job.id);
    const result = await deliver([message, message], faultyService("overloaded"));
    expect(result).toEqual({ acked: ["message 0", "message 1"], retried: [] });
    const photos = new Set(queue.sent.flatMap(({ body }) => (body as { photos: number[] }).photos));
    expect(photos).toEqual(new Set(message?.photos));
    expect(queue.sent.map(({ delaySeconds }) => delaySeconds)).toEqual([7, 7]);
    expect((await stateOf(job.id)).map(({ state, tries }) => [state, tries])).toEqual(Array(3).fill(["queued", 0]));
    expect(await caller.read(job.id)).toMatchObject({ state: "running", done: 0, failed: 0 });
  });

  test("waits while no service is there, and spends no try either", async () => {
    await bucket.put("one.jpg", freshPhoto());
    const caller = await jobsCaller();
    const job = await caller.start({ bucket: "photos" });
    await deliver(await messagesOf(job.id), faultyService("absent"));
    expect(queue.sent).toMatchObject([{ delaySeconds: 15 }]);
    expect(await stateOf(job.id)).toMatchObject([{ state: "queued", tries: 0 }]);
  });

  test("a photo that fails the service again and again fails after five tries, each later than the one before", async () => {
    watchWarnings();
    await bucket.put("poison.jpg", freshPhoto());
    const caller = await jobsCaller();
    const job = await caller.start({ bucket: "photos" });
    const [first] = await messagesOf(job.id);
    for (let message: unknown = first; message !== undefined; message = queue.sent.at(-1)?.body) {
      const count = queue.sent.length;
      await deliver([message], { ...faultyService("failsPhotos"), UPSTREAM_TIMEOUT_MS: "1000" });
      if (queue.sent.length === count) break;
    }
    expect(queue.sent.map(({ delaySeconds }) => delaySeconds)).toEqual([10, 20, 40, 80]);
    expect(await caller.results(job.id)).toMatchObject([{ state: "failed", error: { code: "upstream_error" } }]);
    expect(await caller.read(job.id)).toMatchObject({ state: "done", failed: 1 });
  }, 30_000);

  test("a message that D1 refuses is delivered again, and the others of its batch are not", async () => {
    watchWarnings();
    await bucket.put("one.jpg", freshPhoto());
    const caller = await jobsCaller();
    const job = await caller.start({ bucket: "photos" });
    const [message] = await messagesOf(job.id);
    let refusals = 1;
    const flaky = {
      prepare: (sql: string) => env.JOBS_DB.prepare(sql),
      batch(statements: D1PreparedStatement[]) {
        refusals -= 1;
        if (refusals >= 0) throw new Error("D1 is overloaded");
        return env.JOBS_DB.batch(statements);
      },
    };
    const result = await deliver([message, message], { JOBS_DB: flaky });
    expect(result).toEqual({ acked: ["message 1"], retried: [{ msgId: "message 0" }] });
    expect(await caller.read(job.id)).toMatchObject({ state: "done", done: 1 });
  });
});

test("a cancelled job begins no more photos, and its results say so", async () => {
  await bucket.put("one.jpg", freshPhoto());
  const caller = await jobsCaller();
  const job = await caller.start({ bucket: "photos" });
  const messages = await messagesOf(job.id);
  await caller.call(`/v1/jobs/${job.id}/cancel`, { method: "POST" });
  expect(await deliver(messages)).toEqual({ acked: ["message 0"], retried: [] });
  expect(await caller.read(job.id)).toMatchObject({ state: "cancelled", done: 0, failed: 0 });
  expect(await caller.results(job.id)).toEqual([{ object: "one.jpg", state: "cancelled" }]);
});

test("a message that is none of ours is dropped, and said to be", async () => {
  const warnings = watchWarnings();
  expect(await deliver([{ hello: 1 }, "text", null])).toMatchObject({ retried: [] });
  expect(warnings()).toHaveLength(3);
});
