import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { freshPhoto, watchWarnings } from "../call-worker.ts";
import { age, bucket, deliver, jobsCaller, messagesOf, queue, runCron, startWithoutJobs } from "./made-job.ts";

beforeEach(startWithoutJobs);

test("photos that the queue has lost are sent again, once an interval, and the job ends", async () => {
  for (let index = 0; index < 12; index++) await bucket.put(`${index}.jpg`, freshPhoto());
  const caller = await jobsCaller();
  const job = await caller.start({ bucket: "photos" });
  await runCron();
  expect(queue.sent).toEqual([]);
  await age(job.id, { seconds: 61 });
  await runCron();
  expect(queue.sent.map(({ body }) => (body as { photos: number[] }).photos.length)).toEqual([10, 2]);
  const messages = queue.sent.splice(0).map(({ body }) => body);
  await runCron();
  expect(queue.sent).toEqual([]);
  await deliver(messages);
  expect(await caller.read(job.id)).toMatchObject({ state: "done", done: 12 });
});

test("while another job gets on, photos are left in the queue for longer", async () => {
  await bucket.put("one.jpg", freshPhoto());
  const caller = await jobsCaller();
  const job = await caller.start({ bucket: "photos" });
  await caller.start({ bucket: "photos", follow: true });
  await age(job.id, { seconds: 61 });
  await runCron();
  expect(queue.sent).toEqual([]);
  await age(job.id, { seconds: 1800 });
  await runCron();
  expect(queue.sent).toHaveLength(1);
});

test("a listing that stands still gets another Workflow, which goes on where the first one was", async () => {
  await bucket.put("one.jpg", freshPhoto());
  const caller = await jobsCaller();
  const { id } = await caller.start({ bucket: "photos" });
  await env.JOBS_DB.prepare("UPDATE jobs SET state = 'listing' WHERE id = ?1").bind(id).run();
  await runCron();
  expect(await caller.read(id)).toMatchObject({ state: "listing" });
  await age(id, { seconds: 181 });
  await runCron();
  await vi.waitFor(async () => expect(await caller.read(id)).toMatchObject({ state: "running", listed: 1 }), {
    timeout: 15_000,
  });
  expect(await env.JOBS_DB.prepare("SELECT listing FROM jobs").first("listing")).toBe(1);
});

test("a Workflow that was replaced lists nothing more", async () => {
  const caller = await jobsCaller();
  const { id } = await caller.start({ bucket: "photos" });
  await env.JOBS_DB.prepare("UPDATE jobs SET state = 'listing', listing = 7, ended_at_ms = NULL WHERE id = ?1")
    .bind(id)
    .run();
  await bucket.put("one.jpg", freshPhoto());
  await env.JOBS_WORKFLOW.create({ id: `${id}-6`, params: { job: id, listing: 6 } });
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await caller.read(id)).toMatchObject({ state: "listing", listed: 0 });
});

test("a job whose bucket is bound no more fails with the reason", async () => {
  const caller = await jobsCaller();
  const { id } = await caller.start({ bucket: "photos" });
  await env.JOBS_DB.prepare("UPDATE jobs SET bucket = 'gone', state = 'listing', ended_at_ms = NULL WHERE id = ?1")
    .bind(id)
    .run();
  await age(id, { seconds: 181 });
  await runCron();
  await vi.waitFor(async () => expect(await caller.read(id)).toMatchObject({ state: "failed" }), { timeout: 15_000 });
  expect(await caller.read(id)).toMatchObject({ reason: "the bucket gone is not bound any more" });
});

test("what a deleted job has left goes too", async () => {
  await bucket.put("one.jpg", freshPhoto());
  const caller = await jobsCaller();
  const { id } = await caller.start({ bucket: "photos" });
  await env.JOBS_DB.prepare("UPDATE jobs SET deleted_at_ms = 1, ended_at_ms = 1 WHERE id = ?1").bind(id).run();
  expect(await deliver(await messagesOf(id))).toEqual({ acked: ["message 0"], retried: [] });
  await runCron();
  expect(
    await env.JOBS_DB.prepare("SELECT (SELECT count(*) FROM photos) + (SELECT count(*) FROM jobs) AS count").first(
      "count",
    ),
  ).toBe(0);
});

test("one job's failure does not keep the others from going on", async () => {
  const warnings = watchWarnings();
  await bucket.put("one.jpg", freshPhoto());
  const caller = await jobsCaller();
  const [first, second] = [await caller.start({ bucket: "photos" }), await caller.start({ bucket: "photos" })];
  for (const { id } of [first, second]) await age(id, { seconds: 4000 });
  let refusals = 1;
  const flaky = {
    async sendBatch(messages: Iterable<MessageSendRequest<unknown>>, options = {}) {
      refusals -= 1;
      if (refusals >= 0) throw new Error("Queue is overloaded");
      await queue.sendBatch(messages, options);
    },
  };
  await runCron({ JOBS_QUEUE: flaky });
  expect(queue.sent).toHaveLength(1);
  expect(warnings()).toMatchObject([{ msg: "a job could not be reconciled" }]);
  await runCron({ JOBS_QUEUE: flaky });
  expect(queue.sent).toHaveLength(2);
});

describe("a key that may have no jobs any more", () => {
  const reason = "its key was revoked";

  test("has its jobs cancelled with the reason, those that follow a bucket too, and no other key's", async () => {
    await bucket.put("one.jpg", freshPhoto());
    const [caller, other] = [await jobsCaller(), await jobsCaller()];
    const following = await caller.start({ bucket: "photos", follow: true });
    const running = await caller.start({ bucket: "photos" });
    const others = await other.start({ bucket: "photos", follow: true });
    for (const { id } of [following, running, others]) await age(id, { seconds: 301 });
    await runCron();
    expect((await caller.read(following.id)).state).toBe("following");
    await env.KEYS.delete(caller.keyPath);
    await runCron();
    for (const { id } of [following, running]) expect(await stateOf(id)).toEqual({ state: "cancelled", reason });
    expect((await other.read(others.id)).state).toBe("following");
  });

  test("counts as revoked when it has lost the scope", async () => {
    const caller = await jobsCaller();
    const { id } = await caller.start({ bucket: "photos", follow: true });
    await age(id, { seconds: 301 });
    const { metadata } = await env.KEYS.getWithMetadata(caller.keyPath);
    await env.KEYS.put(caller.keyPath, caller.owner, { metadata: { ...Object(metadata), scopes: ["caption"] } });
    await runCron();
    expect(await stateOf(id)).toEqual({ state: "cancelled", reason });
  });

  test("keeps its jobs while they are young, since KV may not know a new key yet, and while KV cannot be read", async () => {
    const warnings = watchWarnings();
    const caller = await jobsCaller();
    const { id } = await caller.start({ bucket: "photos", follow: true });
    await env.KEYS.delete(caller.keyPath);
    await runCron();
    await age(id, { seconds: 301 });
    await runCron({ KEYS: { getWithMetadata: () => undefined, list: () => Promise.reject(new Error("KV is down")) } });
    expect(await stateOf(id)).toEqual({ state: "following", reason: null });
    expect(warnings()).toMatchObject([{ msg: "the key of a job cannot be looked up", key: caller.owner }]);
  });
});

function stateOf(job: string) {
  return env.JOBS_DB.prepare("SELECT state, reason FROM jobs WHERE id = ?1").bind(job).first();
}
