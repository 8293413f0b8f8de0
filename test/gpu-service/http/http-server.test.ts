import { once } from "node:events";
import { type ClientRequest, request } from "node:http";
import { json } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { captionResultSchema } from "../../../shared/contract.ts";
import { problemSchema } from "../../../shared/problem.ts";
import { madeImage } from "../../fixtures/made-images.ts";
import { freePort } from "../../support/free-port.ts";
import { aliveOf, childrenOf, descendantsOf } from "../../support/process-table.ts";
import {
  metricsOf,
  postCaption,
  problemOf,
  type RunningService,
  signedHeaders,
  spawnService,
  startService,
} from "../running-service.ts";

const photo = await madeImage("jpeg", { width: 1000, height: 750 });

test.each(["SIGTERM", "SIGHUP"] as const)("%s under load loses no admitted request", async (signal) => {
  const service = await startService({ MAX_QUEUED: "200", MAX_BATCH: "4" });
  const children = descendantsOf(service.process.pid ?? 0);
  const responses = Array.from({ length: 150 }, () => postCaption(service, photo));
  await Promise.any(responses);
  const code = await service.stop(signal);
  const statuses = (await Promise.all(responses)).map(({ status }) => status);

  const draining = service.logged.find(({ msg }) => msg === "draining");
  const answered = service.logged.filter(({ status }) => status === 200);
  expect(draining?.admitted).toBeGreaterThan(0);
  const before = service.logged.slice(
    0,
    service.logged.findIndex(({ msg }) => msg === "draining"),
  );
  const doneBefore = before.filter(({ status }) => status === 200).length;
  expect(answered.length).toBeGreaterThanOrEqual(Number(draining?.admitted) + doneBefore - 1); // one may be sent and not logged
  expect(statuses.filter((status) => status === 200)).toHaveLength(answered.length);
  expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
  expect(service.logged.filter(({ outcome }) => outcome === "client_gone")).toEqual([]);
  expect(code).toBe(0);
  expect(aliveOf(children)).toEqual([]);
});

test("finishes an upload under way, while it refuses new requests and says that it drains", async () => {
  const service = await startService();
  const upload = await startUpload(service);
  service.process.kill("SIGTERM");
  await vi.waitFor(() =>
    expect(service.logged).toContainEqual(expect.objectContaining({ msg: "draining", admitted: 1 })),
  );
  const [readyz, livez, refused] = await Promise.all([
    fetch(`${service.origin}/readyz`),
    fetch(`${service.origin}/livez`),
    postCaption(service, photo),
  ]);
  upload.end(photo.subarray(photo.length / 2));
  const [response] = await once(upload, "response");

  expect(readyz.status).toBe(503);
  expect(livez.status).toBe(200);
  expect(refused.status).toBe(503);
  expect(refused.headers.get("Connection")).toBe("close");
  expect(await problemOf(refused)).toMatchObject({ code: "overloaded", detail: expect.stringContaining("draining") });
  expect(captionResultSchema.parse(await json(response)).image.bytes).toBe(photo.length);
  await vi.waitFor(() => expect(service.process.exitCode).toBe(0), 5000);
});

test("ends behind DRAIN_SECONDS, and tells whoever it has in hand: one who is still sending, one whose photo an engine has", async () => {
  const service = await startService({ DRAIN_SECONDS: "1" });
  const [engine = Number.NaN] = childrenOf(service.process.pid ?? 0).slice(-1);
  process.kill(engine, "SIGSTOP");
  const captioning = postCaption(service, photo);
  const upload = await startUpload(service);
  await vi.waitFor(async () => expect(await metricsOf(service)).toContain("edge_caption_batch_photos_count 1\n"));
  const uploaded = once(upload, "response");
  const begun = performance.now();
  service.process.kill("SIGTERM");
  const [response] = await uploaded;
  const [captioned, problem] = [await captioning, problemSchema.parse(await json(response))];

  expect(response.statusCode).toBe(503);
  expect(response.headers.connection).toBe("close");
  expect(captioned.status).toBe(503);
  expect(captioned.headers.get("Connection")).toBe("close");
  expect(captioned.headers.get("Retry-After")).toBe("1");
  expect(await problemOf(captioned)).toMatchObject({ code: "overloaded", detail: problem.detail });
  expect(problem.detail).toBe("the service ends: there was no time left for this photo");
  expect(await service.exited).toBe(0);
  expect(performance.now() - begun).toBeLessThan(2500);
  expect(service.logged).toContainEqual(expect.objectContaining({ msg: "gave up on admitted requests", admitted: 2 }));
});

test.each(["SIGINT", "SIGQUIT", "SIGUSR2", "SIGPWR", "SIGXCPU"] as const)("%s drains, too", async (signal) => {
  const service = await startService();
  const upload = await startUpload(service);
  service.process.kill(signal);
  await vi.waitFor(() => expect(service.logged).toContainEqual(expect.objectContaining({ msg: "draining", signal })));
  upload.end(photo.subarray(photo.length / 2));
  const [response] = await once(upload, "response");
  response.resume();

  expect(response.statusCode).toBe(200);
  expect(await service.exited).toBe(0);
});

test.each(["SIGTERM", "SIGHUP", "SIGQUIT"] as const)(
  "%s ends a service that is starting, with code 0",
  async (signal) => {
    const port = await freePort();
    const service = spawnService({ PORT: `${port}` });
    const exited = once(service, "exit");
    await vi.waitFor(() => fetch(`http://127.0.0.1:${port}/livez`), { timeout: 20_000, interval: 10 });
    service.kill(signal);

    expect(await exited).toEqual([0, null]);
  },
);

test("finishes what it has in hand where the signal goes to its engine, too, as a terminal sends it", async () => {
  const service = await startService();
  const upload = await startUpload(service);
  for (const pid of [...childrenOf(service.process.pid ?? 0), service.process.pid ?? 0]) process.kill(pid, "SIGHUP");
  await vi.waitFor(() => expect(service.logged).toContainEqual(expect.objectContaining({ msg: "draining" })));
  upload.end(photo.subarray(photo.length / 2));
  const [response] = await once(upload, "response");
  response.resume();

  expect(response.statusCode).toBe(200);
  expect(await service.exited).toBe(0);
});

test("ends at once at the second signal", async () => {
  const service = await startService();
  const upload = await startUpload(service);
  upload.on("error", () => {}); // it is cut off
  service.process.kill("SIGTERM");
  await vi.waitFor(() => expect(service.logged).toContainEqual(expect.objectContaining({ msg: "draining" })));

  expect(await service.stop()).toBe(1);
});

test("refuses a photo more than it may hold, at once and with Retry-After", async () => {
  const service = await startService({ MAX_QUEUED: "1" });
  const upload = await startUpload(service);
  const refused = await postCaption(service, photo);
  upload.end(photo.subarray(photo.length / 2));
  const [response] = await once(upload, "response");
  response.resume();
  await once(response, "end");
  await service.stop();

  expect(refused.status).toBe(503);
  expect(refused.headers.get("Retry-After")).toBe("1");
  expect(response.statusCode).toBe(200);
});

/** Sends half a photo, once the service has taken up the request; its headers are checked a moment later. */
async function startUpload({ origin }: RunningService): Promise<ClientRequest> {
  const headers = { ...(await signedHeaders(photo)), "Content-Length": photo.length, Expect: "100-continue" };
  const upload = request(`${origin}/v1/captions`, { method: "POST", headers });
  upload.flushHeaders();
  await once(upload, "continue");
  upload.write(photo.subarray(0, photo.length / 2));
  await setTimeout(200);
  return upload;
}
