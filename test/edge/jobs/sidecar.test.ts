import { beforeEach, expect, test } from "vitest";
import { freshPhoto, withComment } from "../call-worker.ts";
import { bucket, deliver, jobsCaller, messagesOf, queue, startWithoutJobs } from "./made-job.ts";

beforeEach(startWithoutJobs);

async function runJob(source: object = {}, options: object = {}) {
  const caller = await jobsCaller();
  const job = await caller.start({ bucket: "photos", sidecars: "xmp", ...source }, options);
  await deliver(await messagesOf(job.id));
  return { caller, job };
}

const sidecarOf = async (key: string) => (await bucket.get(`${key}.xmp`))?.text();

test("an XMP sidecar has the caption and the keywords that the job asks for, in the form that it asks for", async () => {
  await bucket.put("2024/one.jpg", freshPhoto());
  const { caller, job } = await runJob({}, { keywords: true, style: "sentence", candidates: 3 });
  const [result] = await caller.results(job.id);
  const sidecar = await sidecarOf("2024/one.jpg");
  expect(result?.caption).toMatch(/^[A-Z].*\.$/);
  expect(sidecar).toContain(`<rdf:li xml:lang="x-default">${result?.caption}</rdf:li>`);
  for (const { keyword } of result?.keywords ?? []) expect(sidecar).toContain(`<rdf:li>${keyword}</rdf:li>`);
  expect(sidecar?.includes("dc:subject")).toBe(result?.keywords?.length !== 0);
  expect(await caller.start({ bucket: "photos" })).toMatchObject({ listed: 1 });
});

test("replaces its own, and nothing that somebody wrote: not by this name, by Lightroom's, or into the photo", async () => {
  for (const name of ["ours", "theirs", "lightroom"]) await bucket.put(`${name}.jpg`, freshPhoto());
  await bucket.put("theirs.jpg.xmp", "somebody's");
  await bucket.put("lightroom.xmp", "somebody's");
  await bucket.put("described.jpg", withComment(freshPhoto(), '<rdf:Description dc:description="Oma am Strand"/>'));
  await runJob();
  const before = await sidecarOf("ours.jpg");
  const { caller, job } = await runJob({}, { style: "sentence" });
  expect(before).toContain("x-default");
  expect(await sidecarOf("ours.jpg")).not.toBe(before);
  expect(await sidecarOf("theirs.jpg")).toBe("somebody's");
  expect((await bucket.list()).objects.map(({ key }) => key)).not.toContain("lightroom.jpg.xmp");
  expect(await sidecarOf("described.jpg")).toBeUndefined();
  expect(await caller.read(job.id)).toMatchObject({ state: "done", done: 4 });
});

test("goes with its photo, and triggers nothing", async () => {
  await bucket.put("one.jpg", freshPhoto());
  const { caller, job } = await runJob({ follow: true });
  const event = (action: string, key: string) => ({ action, bucket: "photos", object: { key } });
  queue.sent.splice(0);
  await deliver([event("PutObject", "one.jpg.xmp")]);
  expect(queue.sent).toEqual([]);
  await bucket.delete("one.jpg");
  await deliver([event("DeleteObject", "one.jpg")]);
  expect((await bucket.list()).objects).toEqual([]);
  expect(await caller.read(job.id)).toMatchObject({ listed: 0 });
});
