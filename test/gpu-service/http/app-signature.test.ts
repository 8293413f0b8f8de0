import { afterAll, beforeAll, expect, test } from "vitest";
import { madeImage } from "../../fixtures/made-images.ts";
import { secretMark } from "../../support/leaks.ts";
import {
  postCaption,
  problemOf,
  type RunningService,
  secret,
  signedHeaders,
  startService,
} from "../running-service.ts";

const olderSecret = `the secret that is going out of use ${secretMark}`;
const minuteMs = 60_000;
let service: RunningService;
const photo = await madeImage("png");

beforeAll(async () => {
  service = await startService({ SERVICE_SECRETS: `${olderSecret}, ${secret}` });
});
afterAll(async () => {
  await service.stop();
});

test.each([olderSecret, secret])("takes a request signed with either of two secrets: %s", async (key) => {
  expect((await postCaption(service, photo, { secret: key })).status).toBe(200);
});

test("refuses a forged signature", async () => {
  await expectUnauthorized(await postCaption(service, photo, { secret: "a secret nobody here knows" }));
});

test("refuses a signature of six minutes ago", async () => {
  await expectUnauthorized(await postCaption(service, photo, { nowMs: Date.now() - 6 * minuteMs }));
});

test("refuses a signature of six minutes ahead", async () => {
  await expectUnauthorized(await postCaption(service, photo, { nowMs: Date.now() + 6 * minuteMs }));
});

test("refuses a body other than the signed one", async () => {
  const response = await postCaption(service, photo, { signedBody: await madeImage("jpeg") });

  expect(await expectUnauthorized(response)).toBe("the body's SHA-256 is not the one that was signed");
});

test("refuses a signature for other options", async () => {
  const headers = await signedHeaders(photo, { target: "/v1/captions?beam=1" });
  await expectUnauthorized(
    await fetch(`${service.origin}/v1/captions?beam=10`, { method: "POST", headers, body: photo }),
  );
});

test.each(["Content-Digest", "X-Signature", "X-Signature-Timestamp"])("refuses a request without %s", async (name) => {
  const { [name]: _, ...headers } = await signedHeaders(photo);
  await expectUnauthorized(await fetch(`${service.origin}/v1/captions`, { method: "POST", headers, body: photo }));
});

test("refuses an unsigned request before its body has come", async () => {
  const neverEnding = new ReadableStream({ start: (controller) => controller.enqueue(photo) });
  const init = { method: "POST", body: neverEnding, duplex: "half" as const };
  await expectUnauthorized(await fetch(`${service.origin}/v1/captions`, init));
});

test("takes unsigned requests where that was asked for", async () => {
  const open = await startService({ SERVICE_SECRETS: undefined, ALLOW_UNSIGNED: "true" });
  const response = await fetch(`${open.origin}/v1/captions`, { method: "POST", body: photo });
  await open.stop();

  expect(response.status).toBe(200);
});

async function expectUnauthorized(response: Response): Promise<string> {
  expect(response.status).toBe(401);
  const { code, detail } = await problemOf(response);
  expect(code).toBe("unauthorized");
  return detail;
}
