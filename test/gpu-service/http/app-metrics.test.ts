import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { serviceReadinessSchema } from "../../../shared/contract.ts";
import { madeImage } from "../../fixtures/made-images.ts";
import { takePort } from "../../support/free-port.ts";
import {
  metricsOf,
  postCaption,
  problemOf,
  type RunningService,
  runService,
  startService,
} from "../running-service.ts";

let service: RunningService;

beforeAll(async () => {
  service = await startService();
});
afterAll(async () => {
  await service.stop();
});

test("counts captions and refusals by what became of them, and times what a caption went through", async () => {
  await postCaption(service, await madeImage("jpeg"));
  await postCaption(service, await madeImage("png"));
  await postCaption(service, new TextEncoder().encode("no photo"));
  const lines = (await metricsOf(service)).split("\n");

  expect(lines).toContain('edge_caption_requests_total{outcome="ok",priority="interactive"} 2');
  expect(lines).toContain('edge_caption_requests_total{outcome="unsupported_media_type",priority="interactive"} 1');
  for (const phase of ["decode", "queue", "encode", "search", "total"]) {
    expect(lines).toContain(`edge_caption_phase_seconds_count{phase="${phase}",priority="interactive"} 2`);
  }
  expect(lines).toContain('edge_caption_batch_photos_bucket{le="1"} 2');
});

test("counts the CPU time that its engine spends in the model", async () => {
  const secondsNow = async () =>
    Number((await metricsOf(service)).match(/^edge_caption_engine_cpu_seconds_total\{engine="0"\} (\S+)$/m)?.[1]);
  await postCaption(service, await madeImage("jpeg"));
  const before = await secondsNow();
  for (let photo = 0; photo < 5; photo++) await postCaption(service, await madeImage("jpeg"));

  expect(before).toBeGreaterThan(0);
  expect(await secondsNow()).toBeGreaterThan(before);
});

test("tells what it runs on, and how much memory that takes", async () => {
  const readyz = await fetch(`${service.origin}/readyz`);
  const { engine, device, model } = serviceReadinessSchema.parse(await readyz.json());
  const metrics = await metricsOf(service);

  const { id, revision } = model;
  const labels = `id="${id}",revision="${revision}",engine="${engine}",device="${device}",precision="float32"`;
  expect(metrics).toContain(`edge_caption_model_info{${labels}} 1\n`);
  expect(metrics).toContain("edge_caption_engines_ready 1\n");
  expect(metrics).toMatch(/edge_caption_engine_memory_bytes\{engine="0"\} [1-9]\d{7}/);
  expect(metrics).toMatch(/process_resident_memory_bytes [1-9]\d{7}/);
});

test("is in Prometheus' text format, and has a line of help a metric", async () => {
  const response = await fetch(`${service.origin}/metrics`);
  const lines = (await response.text()).split("\n").filter((line) => line !== "");

  expect(response.headers.get("Content-Type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const names = lines.filter((line) => !line.startsWith("#")).map((line) => line.split(/[{ ]/)[0] ?? "");
  const helped = new Set(lines.filter((line) => line.startsWith("# HELP ")).map((line) => line.split(" ")[2]));
  for (const name of names) expect(helped).toContain(name.replace(/_(bucket|count|sum)$/, ""));
});

describe("METRICS_PORT", () => {
  test("has the metrics and the probes, and PORT the metrics no more", async () => {
    const split = await startService({ METRICS_PORT: "0" });
    onTestFinished(async () => void (await split.stop()));
    const listening = split.logged.find(({ msg }) => msg === "listening");
    const origin = `http://127.0.0.1:${listening?.metricsPort}`;
    await postCaption(split, await madeImage("jpeg"));
    const hidden = await fetch(`${split.origin}/metrics`);

    expect(hidden.status).toBe(404);
    expect(await problemOf(hidden)).toMatchObject({ code: "not_found" });
    expect(await metricsOf({ origin })).toContain('edge_caption_requests_total{outcome="ok",priority="interactive"} 1');
    for (const path of ["/livez", "/readyz"]) {
      expect((await fetch(`${origin}${path}`)).status).toBe(200);
      expect((await fetch(`${split.origin}${path}`)).status).toBe(200);
    }
    expect((await fetch(`${origin}/v1/captions`, { method: "POST" })).status).toBe(404);
  });

  test("that is taken stops the start with a sentence that names it", async () => {
    const { port, server } = await takePort();
    const { code, stderr } = await runService({ METRICS_PORT: `${port}` });
    server.close();

    expect(stderr).toBe(
      `edge-caption service: cannot listen on 127.0.0.1:${port}: METRICS_PORT is taken by another process\n`,
    );
    expect(code).toBe(1);
  });
});
