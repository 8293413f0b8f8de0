import { once } from "node:events";
import { request } from "node:http";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { madeImage } from "../../fixtures/made-images.ts";
import { postCaption, problemOf, type RunningService, signedHeaders, startService } from "../running-service.ts";

const maxBytes = 100_000;
const bodyTimeoutMs = 700;
let service: RunningService;
const photo = await madeImage("png");

beforeAll(async () => {
  service = await startService({ MAX_BYTES: `${maxBytes}`, BODY_TIMEOUT_MS: `${bodyTimeoutMs}` });
});
afterAll(async () => {
  await service.stop();
});

test("refuses an empty body", async () => {
  const response = await postCaption(service, new Uint8Array());

  expect(response.status).toBe(400);
  expect(await problemOf(response)).toMatchObject({
    code: "invalid_request",
    detail: expect.stringContaining("no byte"),
  });
});

test("takes a photo of exactly the largest size", async () => {
  const response = await postCaption(service, padded(photo, maxBytes));

  expect(response.status).toBe(200);
});

test("refuses one byte more, by its Content-Length", async () => {
  const response = await postCaption(service, padded(photo, maxBytes + 1));

  expect(response.status).toBe(413);
  const detail = "expected an image of at most 100000 bytes, received 100001";
  expect(await problemOf(response)).toMatchObject({ code: "payload_too_large", detail });
});

test("refuses one byte more without a Content-Length", async () => {
  const body = padded(photo, maxBytes + 1);
  const headers = await signedHeaders(body);
  const init = { method: "POST", headers, body: new Blob([body]).stream(), duplex: "half" as const };
  const response = await fetch(`${service.origin}/v1/captions`, init);

  expect(response.status).toBe(413);
  expect(await problemOf(response)).toMatchObject({ code: "payload_too_large" });
});

test("refuses a body in gzip by the name of that", async () => {
  const body = padded(photo, photo.length);
  const headers = { ...(await signedHeaders(body)), "Content-Encoding": "gzip" };
  const response = await fetch(`${service.origin}/v1/captions`, { method: "POST", headers, body });

  expect(response.status).toBe(415);
  expect(response.headers.get("Accept-Encoding")).toBe("identity");
  const detail = 'expected a body without Content-Encoding, received one in "gzip": send the bytes as they are';
  expect(await problemOf(response)).toMatchObject({ code: "unsupported_media_type", detail });
});

test("gives up on a body that trickles", async () => {
  const upload = await openUpload();
  const trickle = setInterval(() => upload.write(photo.subarray(0, 1)), 50);
  const [response] = await once(upload, "response");
  clearInterval(trickle);
  upload.destroy();

  expect(response.statusCode).toBe(408);
});

test("survives a client that leaves in mid-upload", async () => {
  const upload = await openUpload();
  upload.on("error", () => {}); // the hang-up, seen from our side
  upload.write(photo.subarray(0, 10));
  await new Promise((resolve) => setTimeout(resolve, 100));
  upload.destroy();

  await vi.waitFor(() => expect(service.logged.at(-1)).toMatchObject({ outcome: "client_gone" }));
  expect((await postCaption(service, photo)).status).toBe(200);
});

async function openUpload() {
  const headers = { ...(await signedHeaders(photo)), "Transfer-Encoding": "chunked" };
  return request(`${service.origin}/v1/captions`, { method: "POST", headers });
}

/** What follows the end of a PNG is no part of the picture. */
function padded(file: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  bytes.set(file);
  return bytes;
}
