import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { captionResultSchema } from "../../../shared/contract.ts";
import { madeImage, madePhotos } from "../../fixtures/made-images.ts";
import {
  metricsOf,
  postCaption,
  problemOf,
  type RunningService,
  signedHeaders,
  startService,
} from "../running-service.ts";

const capacity = 8;
const deadlineMs = 20_000;
const photo = await madeImage("jpeg", { width: 500, height: 375 });
let service: RunningService;

beforeAll(async () => {
  service = await startService({ MAX_QUEUED: `${capacity}`, MAX_QUEUED_BYTES: "30000000", MAX_BATCH: "4" });
});
afterAll(async () => {
  await service.stop();
});

describe("a burst of ten times the capacity", () => {
  test("gets a caption or a refusal for every request within its deadline, each once", async () => {
    const photos = await madePhotos(10 * capacity);
    const begun = performance.now();
    const responses = await Promise.all(
      photos.map((bytes) => postCaption(service, bytes, { headers: { "X-Deadline-Ms": `${deadlineMs}` } })),
    );
    const answers = await Promise.all(responses.map(async (response) => ({ response, body: await response.json() })));

    expect(performance.now() - begun).toBeLessThan(deadlineMs);
    const captioned = answers.filter(({ response }) => response.status === 200);
    const refused = answers.filter(({ response }) => response.status === 503);
    expect(captioned.length).toBeGreaterThanOrEqual(capacity);
    expect(refused.length).toBeGreaterThan(0);
    expect(captioned.length + refused.length).toBe(photos.length);
    const ids = captioned.map(({ body }) => captionResultSchema.parse(body).id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { response } of refused) expect(Number(response.headers.get("Retry-After"))).toBeGreaterThanOrEqual(1);
    const logged = () => service.logged.filter(({ path }) => path === "/v1/captions");
    await vi.waitFor(() => expect(logged()).toHaveLength(photos.length));
    await expectNobodyInHand();
  });
});

test("refuses an upload before its body has come, by its bytes", async () => {
  const held = await Promise.all([declareUpload(20_000_000), declareUpload(9_000_000)]);
  await vi.waitFor(async () => expect(await metricsOf(service)).toMatch(/edge_caption_admitted_bytes 29000000\n/));
  const refused = await declareUpload(5_000_000);
  const [response] = await once(refused, "response");

  expect(response.statusCode).toBe(503);
  expect(response.headers["retry-after"]).toMatch(/^\d+$/);
  for (const upload of [...held, refused]) upload.destroy();
  await expectNobodyInHand();
});

test("gives no place to a request whose signature is wrong", async () => {
  const uploads = await Promise.all(
    Array.from({ length: 2 * capacity }, () => declareUpload(1000, { "X-Signature": "00".repeat(32) })),
  );
  const statuses = await Promise.all(
    uploads.map(async (upload) => {
      const [response] = await once(upload, "response");
      return response.statusCode;
    }),
  );

  expect(new Set(statuses)).toEqual(new Set([401]));
  expect(await metricsOf(service)).toMatch(/edge_caption_admitted_requests\{priority="interactive"\} 0\n/);
  expect((await postCaption(service, photo)).status).toBe(200);
  for (const upload of uploads) upload.destroy();
});

test("gives places back whose clients leave, at whatever moment that is", async () => {
  const photos = await madePhotos(60);
  for (const [index, bytes] of photos.entries()) {
    const signal = AbortSignal.timeout(1 + index);
    const left = postCaption(service, bytes, { signal }).then((response) => response.json());
    await left.catch(() => {}); // it left, or had its answer before
  }

  await expectNobodyInHand();
  const outcomes = await metricsOf(service);
  expect(outcomes).toMatch(/edge_caption_requests_total\{outcome="client_gone",priority="interactive"\} \d+/);
  expect((await postCaption(service, photo)).status).toBe(200);
});

test("gives places back whose clients leave right behind their headers, also of requests that wait on one connection", async () => {
  const headers = Object.entries(await signedHeaders(photo)).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `POST /v1/captions HTTP/1.1\r\nHost: ${new URL(service.origin).host}\r\n${headers.join("")}Content-Length: 10\r\n\r\n`;
  for (let client = 0; client < 100; client++) {
    const socket = connect(Number(new URL(service.origin).port), "127.0.0.1");
    socket.on("error", () => {}); // it is cut off
    socket.write(client % 2 === 0 ? head : `${head}0123456789`.repeat(3), () => socket.destroy());
    await once(socket, "close");
  }

  await expectNobodyInHand();
  expect((await postCaption(service, photo)).status).toBe(200);
});

test("gives a request no more time than the service allows, whatever it asks for", async () => {
  const hurried = await startService({ MAX_DEADLINE_MS: "1", MAX_BATCH: "1" });
  onTestFinished(async () => void (await hurried.stop()));
  const asking = await postCaption(hurried, photo, { headers: { "X-Deadline-Ms": "60000" } });
  const silent = await postCaption(hurried, photo);

  for (const response of [asking, silent]) {
    expect(response.status).toBe(504);
    expect(await problemOf(response)).toMatchObject({ code: "upstream_timeout" });
  }
});

/** Begins an upload of so many bytes and sends the first of them. */
async function declareUpload(bytes: number, headers: Record<string, string> = {}) {
  const signed = { ...(await signedHeaders(photo)), ...headers, "Content-Length": bytes };
  const upload = request(`${service.origin}/v1/captions`, { method: "POST", headers: signed });
  upload.on("error", () => {}); // it is cut off
  upload.write(photo.subarray(0, 1));
  return upload;
}

async function expectNobodyInHand(): Promise<void> {
  await vi.waitFor(async () => {
    const metrics = await metricsOf(service);
    expect(metrics).toMatch(/edge_caption_admitted_requests\{priority="interactive"\} 0\n/);
    expect(metrics).toMatch(/edge_caption_admitted_bytes 0\n/);
    expect(metrics).toMatch(/edge_caption_queued_photos\{priority="interactive"\} 0\n/);
  }, 5000);
}
