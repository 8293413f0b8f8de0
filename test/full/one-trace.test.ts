import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type LocalServers, preferFree, startServers, waitUntilReady } from "../../scripts/start/local-servers.ts";
import { CaptionClient } from "../../shared/client.ts";
import { tinyBundle } from "../fixtures/bundles.ts";
import { madePhotos } from "../fixtures/made-images.ts";
import { keepOutput } from "../support/kept-output.ts";
import { type CollectedSpan, type Collector, startCollector } from "../support/otlp-collector.ts";

let stateDir = "";
let servers: LocalServers;
let collector: Collector;

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "one-trace-"));
  collector = await startCollector({ headers: { authorization: "Bearer of, a = collector" } });
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint);
  vi.stubEnv("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer%20of%2C%20a%20%3D%20collector");
  vi.stubEnv("OTEL_BSP_SCHEDULE_DELAY", "100");
  servers = startServers({
    edgePort: await preferFree(0),
    servicePort: await preferFree(0),
    modelDir: tinyBundle,
    stateDir,
    variables: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
      OTEL_EXPORTER_OTLP_HEADERS: "Authorization=Bearer%20of%2C%20a%20%3D%20collector",
    },
    listen: keepOutput,
  });
  await waitUntilReady(servers, AbortSignal.timeout(120_000));
}, 180_000);

afterAll(async () => {
  vi.unstubAllEnvs();
  await servers.stop();
  collector.close();
  await rm(stateDir, { recursive: true, force: true });
});

const spansOf = (service: string, name: string): CollectedSpan[] =>
  collector.spans.filter((span) => span.resource["service.name"] === service && span.name === name);

test("a photo is one trace from the edge to the engine, and a hit one that ends at the edge", async () => {
  const client = new CaptionClient({ origin: servers.edge });
  const [photo = new Uint8Array()] = await madePhotos(1, { width: 64, height: 48 });
  await client.caption(photo);
  await client.caption(photo);
  const atTheEdge = () => spansOf("edge-caption-edge", "POST /v1/captions");
  const atTheService = () => spansOf("edge-caption-service", "POST /v1/captions");
  await expect.poll(() => [atTheEdge().length, atTheService().length], { timeout: 20_000 }).toEqual([2, 1]);

  const [request] = atTheService();
  const miss = atTheEdge().find((span) => span.traceId === request?.traceId);
  const hit = atTheEdge().find((span) => span !== miss);
  expect(miss?.parentSpanId).toBeUndefined();
  expect(request?.parentSpanId).toBe(miss?.spanId);
  expect(miss?.attributes).toMatchObject({ "edge_caption.cache": "stored", "http.response.status_code": "200" });
  expect(hit?.attributes).toMatchObject({ "edge_caption.cache": "hit", "edge_caption.outcome": "ok" });
  expect(hit?.traceId).not.toBe(miss?.traceId);
  const [encode] = spansOf("edge-caption-service", "encode");
  expect([encode?.traceId, encode?.parentSpanId]).toEqual([miss?.traceId, request?.spanId]);
  expect(miss?.startTimeUnixNano).toBeLessThanOrEqual((request?.startTimeUnixNano ?? 0n) + 2_000_000n);
  expect(miss?.endTimeUnixNano).toBeGreaterThanOrEqual((request?.endTimeUnixNano ?? 0n) - 2_000_000n);
}, 60_000);
