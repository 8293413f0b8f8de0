import { beforeEach, describe, expect, test } from "vitest";
import { freshPhoto } from "../call-worker.ts";
import { bucket, deliver, jobsCaller, messagesOf, queue, startWithoutJobs } from "./made-job.ts";

beforeEach(startWithoutJobs);

describe("a job that follows its bucket", () => {
  const event = (action: string, key: string) => ({
    account: "3f4b7e3dcab231cbfdaa90a6a28bd548",
    action,
    bucket: "photos",
    object: { key, size: 1, eTag: "an older one" },
    eventTime: "2026-05-24T19:36:44.379Z",
  });
  const deliverSent = () => deliver(queue.sent.splice(0).map(({ body }) => body));

  test("captions what comes and what is replaced, and forgets what goes", async () => {
    await bucket.put("one.jpg", freshPhoto());
    const caller = await jobsCaller();
    const job = await caller.start({ bucket: "photos", follow: true });
    expect(job.state).toBe("following");
    await deliver(await messagesOf(job.id));
    const [before] = await caller.results(job.id);

    await bucket.put("one.jpg", freshPhoto());
    await bucket.put("two.jpg", freshPhoto());
    await deliver([event("PutObject", "one.jpg"), event("CopyObject", "two.jpg"), event("PutObject", "two.jpg")]);
    expect(await caller.read(job.id)).toMatchObject({ listed: 2, done: 0 });
    await deliverSent();
    const after = await caller.results(job.id);
    expect(after.map(({ object, state }) => [object, state])).toEqual([
      ["one.jpg", "done"],
      ["two.jpg", "done"],
    ]);
    expect(after[0]?.id).not.toBe(before?.id);

    await bucket.delete("one.jpg");
    await deliver([event("DeleteObject", "one.jpg"), event("DeleteObject", "one.jpg")]);
    expect(await caller.read(job.id)).toMatchObject({ state: "following", listed: 1, done: 1, failed: 0 });
    expect((await caller.results(job.id)).map(({ object }) => object)).toEqual(["two.jpg"]);
  });

  test("an event that comes late or twice captions nothing again", async () => {
    await bucket.put("one.jpg", freshPhoto());
    const caller = await jobsCaller();
    const job = await caller.start({ bucket: "photos", follow: true });
    await deliver(await messagesOf(job.id));
    queue.sent.splice(0);
    await deliver([event("PutObject", "one.jpg"), event("DeleteObject", "one.jpg"), event("PutObject", "one.jpg")]);
    expect(queue.sent).toEqual([]);
    expect(await caller.read(job.id)).toMatchObject({ listed: 1, done: 1 });
  });

  test("its sidecars never trigger it, and go with their photos, but nobody else's do", async () => {
    await bucket.put("one.jpg", freshPhoto());
    await bucket.put("two.jpg", freshPhoto());
    const caller = await jobsCaller();
    const job = await caller.start({ bucket: "photos", follow: true, sidecars: "json" });
    await deliver(await messagesOf(job.id));
    await bucket.put("two.jpg.json", "somebody else's");
    queue.sent.splice(0);
    await deliver([event("PutObject", "one.jpg.json"), event("PutObject", "two.jpg.json")]);
    expect(queue.sent).toEqual([]);
    await bucket.delete(["one.jpg", "two.jpg"]);
    await deliver([event("DeleteObject", "one.jpg"), event("LifecycleDeletion", "two.jpg")]);
    expect((await bucket.list()).objects.map(({ key }) => key)).toEqual(["two.jpg.json"]);
    expect(await caller.read(job.id)).toMatchObject({ listed: 0, done: 0 });
  });

  test("other prefixes, other buckets and jobs that are over are left alone", async () => {
    const caller = await jobsCaller();
    const job = await caller.start({ bucket: "photos", prefix: "2024/", follow: true });
    await bucket.put("2025/one.jpg", freshPhoto());
    await deliver([event("PutObject", "2025/one.jpg"), { ...event("PutObject", "2024/one.jpg"), bucket: "others" }]);
    expect(await caller.read(job.id)).toMatchObject({ listed: 0 });
    await caller.call(`/v1/jobs/${job.id}/cancel`, { method: "POST" });
    await bucket.put("2024/one.jpg", freshPhoto());
    await deliver([event("PutObject", "2024/one.jpg")]);
    expect(await caller.read(job.id)).toMatchObject({ state: "cancelled", listed: 0 });
  });
});
