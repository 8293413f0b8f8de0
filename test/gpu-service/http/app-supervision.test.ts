import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { copyTinyBundle } from "../../fixtures/bundles.ts";
import { madeImage, madePhotos } from "../../fixtures/made-images.ts";
import { childrenOf } from "../../support/process-table.ts";
import { metricsOf, postCaption, problemOf, type RunningService, startService } from "../running-service.ts";

const photo = await madeImage("jpeg", { width: 500, height: 375 });

async function runningService(environment: Record<string, string>): Promise<RunningService> {
  const service = await startService(environment);
  onTestFinished(async () => void (await service.stop("SIGKILL")));
  return service;
}

/** The engines' processes; before them stands what translates TypeScript. */
function enginesOf({ process: { pid = 0 } }: RunningService, count: number): number[] {
  const engines = childrenOf(pid).slice(-count);
  expect(engines).toHaveLength(count);
  return engines;
}

function engineOf(service: RunningService): number {
  return enginesOf(service, 1)[0] ?? Number.NaN; // process.kill(0) would be for our own group
}

test("answers every request though its engine is killed under load", async () => {
  const service = await runningService({ MAX_BATCH: "4" });
  const photos = await madePhotos(40);
  const responses = photos.map((bytes) => postCaption(service, bytes));
  await Promise.any(responses);
  const engine = engineOf(service);
  process.kill(engine, "SIGKILL");
  const statuses = (await Promise.all(responses)).map(({ status }) => status);

  expect(statuses).toEqual(photos.map(() => 200));
  const metrics = await metricsOf(service);
  expect(metrics).toContain('edge_caption_engine_restarts_total{reason="died"} 1');
  expect(metrics).toContain(`edge_caption_requests_total{outcome="ok",priority="interactive"} ${photos.length}`);
  expect(service.logged).toContainEqual(
    expect.objectContaining({ msg: "replacing an engine", reason: "died", error: "the engine ended with SIGKILL" }),
  );
});

test("answers every request though one of its two engines is killed under load, and stays ready", async () => {
  const service = await runningService({ MAX_BATCH: "4", ENGINES: "2" });
  const photos = await madePhotos(40);
  const responses = photos.map((bytes) => postCaption(service, bytes));
  await Promise.any(responses);
  process.kill(enginesOf(service, 2)[0] ?? Number.NaN, "SIGKILL");
  const readiness = new Set<number>();
  await vi.waitUntil(
    async () => {
      readiness.add((await fetch(`${service.origin}/readyz`)).status);
      return service.logged.some(({ msg }) => msg === "replaced an engine");
    },
    { timeout: 20_000, interval: 20 },
  );
  const statuses = (await Promise.all(responses)).map(({ status }) => status);

  expect(statuses).toEqual(photos.map(() => 200));
  expect([...readiness]).toEqual([200]);
});

test("answers every request though its engine hangs, and is not ready until it is replaced", async () => {
  const service = await runningService({ ENGINE_TIMEOUT_MS: "1000" });
  process.kill(engineOf(service), "SIGSTOP");
  const responses = (await madePhotos(6)).map((bytes) => postCaption(service, bytes));
  await vi.waitFor(async () => expect((await fetch(`${service.origin}/readyz`)).status).toBe(503), 5000);
  const statuses = (await Promise.all(responses)).map(({ status }) => status);

  expect(statuses).toEqual([200, 200, 200, 200, 200, 200]);
  expect((await fetch(`${service.origin}/readyz`)).status).toBe(200);
  expect(await metricsOf(service)).toContain('edge_caption_engine_restarts_total{reason="hung"} 1');
});

test("remembers a photo whose clients did not wait for the engines that were lost with it", async () => {
  const service = await runningService({ ENGINE_TIMEOUT_MS: "60000", ENGINES: "2" });
  const engines = enginesOf(service, 2);
  for (const engine of engines) process.kill(engine, "SIGSTOP"); // each gets the photo once, and has it when it is killed
  for (const index of engines.keys()) {
    const left = postCaption(service, photo, { headers: { "X-Deadline-Ms": "300" } });
    await vi.waitFor(async () => {
      expect(await metricsOf(service)).toContain(`edge_caption_batch_photos_count ${index + 1}`);
    }, 15_000);
    expect((await left).status).toBe(504);
  }
  for (const engine of engines) process.kill(engine, "SIGKILL");
  await vi.waitFor(async () => expect(await metricsOf(service)).toContain('{reason="died"} 2'), 15_000);
  const again = await postCaption(service, photo);

  expect(again.status).toBe(422);
});

test("refuses a photo with which two engines were lost, then and later, and captions others", async () => {
  const service = await runningService({ ENGINE_TIMEOUT_MS: "60000", ENGINES: "2" });
  const engines = enginesOf(service, 2);
  for (const engine of engines) process.kill(engine, "SIGSTOP"); // so that it is in their hands when they are killed
  const lethal = postCaption(service, photo);
  for (const [index, engine] of engines.entries()) {
    const batches = `edge_caption_batch_photos_count ${index + 1}`;
    await vi.waitFor(async () => expect(await metricsOf(service)).toContain(batches), 15_000);
    process.kill(engine, "SIGKILL");
  }
  const response = await lethal;
  const again = await postCaption(service, photo);
  const other = await postCaption(service, await madeImage("png"));

  expect(response.status).toBe(422);
  expect(await problemOf(response)).toMatchObject({
    code: "invalid_image",
    detail: "two engines ended while they worked on this photo: it is refused for a while",
  });
  expect(again.status).toBe(422);
  expect(other.status).toBe(200);
  expect(await metricsOf(service)).toContain('edge_caption_engine_restarts_total{reason="died"} 2');
});

test("ends with a sentence, once it has told whoever waits, where its engine cannot be replaced", async () => {
  const folder = await copyTinyBundle();
  const service = await runningService({ MODEL_DIR: folder });
  await writeFile(join(folder, "vocabulary.json"), "");
  const engine = engineOf(service);
  process.kill(engine, "SIGSTOP");
  const responses = (await madePhotos(12)).map((bytes) => postCaption(service, bytes));
  await vi.waitFor(async () => {
    expect(await metricsOf(service)).toMatch(/edge_caption_batch_photos_count [1-9]/);
    expect(await metricsOf(service)).toContain('edge_caption_admitted_requests{priority="interactive"} 12\n');
  }, 10_000);
  process.kill(engine, "SIGKILL");

  for (const response of await Promise.all(responses)) {
    expect(response.status).toBe(503);
    expect(response.headers.get("Retry-After")).toBe("1");
    expect((await problemOf(response)).detail).toBe("an engine could not be replaced: the service is stopping");
  }
  await vi.waitFor(() => expect(service.process.exitCode).toBe(1), 5000);
  expect(service.complaints).toEqual([expect.stringMatching(/^edge-caption service: .*vocabulary\.json.*$/)]);
});
