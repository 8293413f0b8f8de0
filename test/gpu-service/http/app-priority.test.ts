import { once } from "node:events";
import { type ClientRequest, request } from "node:http";
import { expect, onTestFinished, test, vi } from "vitest";
import { madeImage, madePhotos } from "../../fixtures/made-images.ts";
import { childrenOf } from "../../support/process-table.ts";
import {
  metricsOf,
  postCaption,
  problemOf,
  type RunningService,
  signedHeaders,
  startService,
} from "../running-service.ts";

const photo = await madeImage("jpeg");

async function runningService(environment: Record<string, string | undefined>): Promise<RunningService> {
  const service = await startService(environment);
  onTestFinished(async () => void (await service.stop("SIGKILL")));
  return service;
}

test("photos of bulk priority wait until no person's photo does", async () => {
  const service = await runningService({ ENGINE_TIMEOUT_MS: "60000" });
  const engine = childrenOf(service.process.pid ?? 0).at(-1) ?? Number.NaN;
  process.kill(engine, "SIGSTOP");
  const answers: Promise<string>[] = [];
  const order: string[] = [];
  const post = async (name: string, bytes: Uint8Array<ArrayBuffer>) => {
    const response = await postCaption(service, bytes, name.startsWith("bulk") ? { priority: "bulk" } : {});
    expect(response.status).toBe(200);
    order.push(name);
    return name;
  };
  const photos = await madePhotos(6);
  for (const [index, name] of ["bulk 1", "bulk 2", "bulk 3", "bulk 4", "person 1", "person 2"].entries()) {
    answers.push(post(name, photos[index] ?? photo));
    await vi.waitFor(async () => expect(await waitingIn(service)).toEqual(Math.max(0, index)), 10_000); // the first is with the engine
  }
  expect(await metricsOf(service)).toContain('edge_caption_queued_photos{priority="bulk"} 3\n');
  expect(await metricsOf(service)).toContain('edge_caption_queued_photos{priority="interactive"} 2\n');
  process.kill(engine, "SIGCONT");
  await Promise.all(answers);

  expect(order[0]).toBe("bulk 1");
  expect(order.slice(1, 3).toSorted()).toEqual(["person 1", "person 2"]);
  const lines = (await metricsOf(service)).split("\n");
  expect(lines).toContain('edge_caption_requests_total{outcome="ok",priority="bulk"} 4');
  expect(lines).toContain('edge_caption_requests_total{outcome="ok",priority="interactive"} 2');
  expect(lines).toContain('edge_caption_phase_seconds_count{phase="queue",priority="bulk"} 4');
  await vi.waitFor(() => {
    expect(service.logged.filter(({ priority }) => priority === "bulk")).toHaveLength(4);
  });
});

test("bulk gets its share of the places, and people the rest", async () => {
  const service = await runningService({ MAX_QUEUED: "6", BULK_PERCENT: "50" });
  const held = await Promise.all([1, 2, 3].map(() => declareUpload(service)));
  onTestFinished(() => {
    for (const upload of held) upload.destroy();
  });
  const places = 'edge_caption_admitted_requests{priority="bulk"} 3\n';
  await vi.waitFor(async () => expect(await metricsOf(service)).toContain(places), 5000);
  const refused = await postCaption(service, photo, { priority: "bulk" });

  expect(refused.status).toBe(503);
  expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThanOrEqual(1);
  expect((await problemOf(refused)).detail).toBe("expected at most 3 requests of bulk priority at once");
  expect((await postCaption(service, photo)).status).toBe(200);
  const refusals = 'edge_caption_requests_total{outcome="overloaded",priority="bulk"} 1\n';
  expect(await metricsOf(service)).toContain(refusals);
});

test("a priority that is unknown, or that nobody signed for, is refused", async () => {
  const service = await runningService({});
  const unsigned = await postCaption(service, photo, { headers: { "X-Priority": "bulk" } });
  expect(unsigned.status).toBe(401);
  const open = await runningService({ SERVICE_SECRETS: undefined, ALLOW_UNSIGNED: "true" });
  const unknown = await postCaption(open, photo, { headers: { "X-Priority": "urgent" } });
  expect(unknown.status).toBe(400);
  expect((await problemOf(unknown)).detail).toBe('expected X-Priority to be interactive or bulk, received "urgent"');
  expect((await postCaption(open, photo, { headers: { "X-Priority": "bulk" } })).status).toBe(200);
});

async function waitingIn(service: RunningService): Promise<number> {
  const lines = (await metricsOf(service)).matchAll(/^edge_caption_queued_photos\{.*\} (\d+)$/gm);
  return [...lines].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Begins an upload of bulk priority, and sends the first of its bytes. */
async function declareUpload({ origin }: RunningService): Promise<ClientRequest> {
  const headers = { ...(await signedHeaders(photo, { priority: "bulk" })), "Content-Length": photo.length };
  const upload = request(`${origin}/v1/captions`, { method: "POST", headers });
  upload.on("error", () => {}); // it is cut off
  upload.write(photo.subarray(0, 1));
  await once(upload, "socket");
  return upload;
}
