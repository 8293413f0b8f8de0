import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { madeImage } from "../../fixtures/made-images.ts";
import { slowImage, variantOf } from "../../fixtures/slow-images.ts";
import {
  metricsOf,
  postCaption,
  problemOf,
  type RunningService,
  signedHeaders,
  startService,
} from "../running-service.ts";

const slow = await slowImage("png", 8500);
const photo = await madeImage("jpeg");
const [one, other] = ["1".repeat(32), "2".repeat(32)];
let service: RunningService;

beforeAll(async () => {
  service = await startService({ MAX_DEADLINE_MS: "2000", MAX_SLOW_PER_CALLER: "1" });
});
afterAll(async () => {
  await service.stop();
});

/** Gives up on it in the middle of its decoding. */
const postSlow = (bytes: Uint8Array<ArrayBuffer>, caller?: string) =>
  postFor(bytes, caller, { "X-Deadline-Ms": "1000" });

async function postFor(bytes: Uint8Array<ArrayBuffer>, caller?: string, headers: Record<string, string> = {}) {
  return postCaption(service, bytes, { ...(caller === undefined ? {} : { caller }), headers });
}

test("a photo that was not decoded in time is refused at once the next time, and others are captioned", async () => {
  const first = await postSlow(slow);
  const again = await postSlow(slow);

  expect(first.status).toBe(504);
  expect(again.status).toBe(422);
  expect((await problemOf(again)).detail).toBe("this photo was not decoded in time: it is refused for a while");
  expect((await postCaption(service, photo)).status).toBe(200);
  await expectNothingDecoded();
});

test("one more photo than its caller may have at once is refused, those of other callers are not", async () => {
  const ofOne = await Promise.all([postFor(variantOf(slow, 1), one), postFor(variantOf(slow, 2), one)]);
  const [refused, ...others] = ofOne.filter(({ status }) => status === 429);
  if (refused === undefined) throw new Error("expected one of two to be refused");

  expect(others).toEqual([]);
  expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThanOrEqual(1);
  expect(await problemOf(refused)).toMatchObject({
    code: "rate_limited",
    detail: "expected at most 1 photos of a caller at once that take long to decode, received one more",
  });
  await expectNothingDecoded(); // a process that is killed takes a moment to end
  const ofTwo = await Promise.all([postFor(variantOf(slow, 3), one), postFor(variantOf(slow, 4), other)]);
  expect(ofTwo.map(({ status }) => status)).not.toContain(429);
  expect((await postFor(photo, one)).status).toBe(200);
  await expectNothingDecoded();
});

test("a photo that only waited, behind another's, is not at fault", async () => {
  const [first, second] = [variantOf(slow, 5), variantOf(slow, 6)];
  const statuses = await Promise.all([postSlow(first, one), postSlow(second, other)]);
  await expectNothingDecoded();
  const again = await Promise.all([postSlow(first, one), postSlow(second, other)]);

  expect(statuses.map(({ status }) => status)).toEqual([504, 504]);
  expect(again.map(({ status }) => status).toSorted()).toEqual([422, 504]); // whichever came first was decoded
  await expectNothingDecoded();
});

test("refuses a caller whom the edge has not signed for, and one that is no hash", async () => {
  const headers = { ...(await signedHeaders(photo)), "X-Caller": one };
  const added = await fetch(`${service.origin}/v1/captions`, { method: "POST", headers, body: photo });

  expect(added.status).toBe(401);
  expect((await postFor(photo, "192.0.2.1")).status).toBe(400);
});

async function expectNothingDecoded(): Promise<void> {
  await vi.waitFor(async () => expect(await metricsOf(service)).toContain("edge_caption_decoding_photos 0\n"), 20_000);
}
