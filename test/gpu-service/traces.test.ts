import { expect, onTestFinished, test } from "vitest";
import { madeImage, madePhotos, textFile } from "../fixtures/made-images.ts";
import { type CollectedSpan, type Collector, startCollector } from "../support/otlp-collector.ts";
import { postCaption, type RunningService, startService } from "./running-service.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const edgeSpan = "b7ad6b7169203331";
const traceparent = `00-${traceId}-${edgeSpan}-01`;

async function startTraced({
  status,
  ...environment
}: {
  status?: number;
  [name: string]: string | number | undefined;
} = {}): Promise<{ service: RunningService; collector: Collector }> {
  const collector = await startCollector(status === undefined ? {} : { status });
  onTestFinished(() => collector.close());
  const variables = Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, String(value)]));
  const service = await startService({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, ...variables });
  onTestFinished(async () => void (await service.stop("SIGKILL")));
  return { service, collector };
}

function only(spans: readonly CollectedSpan[], name: string): CollectedSpan {
  const found = spans.filter((span) => span.name === name);
  if (found.length !== 1 || found[0] === undefined) throw new Error(`expected one span ${name}, found ${found.length}`);
  return found[0];
}

test("sends a trace per caption, which continues its sender's, before it ends", async () => {
  const { service, collector } = await startTraced({ OTEL_RESOURCE_ATTRIBUTES: "deployment.environment=tests" });
  const photo = await madeImage("jpeg");
  const headers = { traceparent, "X-Request-Id": "request-1" };
  expect((await postCaption(service, photo, { headers, priority: "bulk" })).status).toBe(200);
  await fetch(`${service.origin}/readyz`);
  const unsampled = { traceparent: `00-${"1".repeat(32)}-${edgeSpan}-00` };
  expect((await postCaption(service, photo, { headers: unsampled })).status).toBe(200);
  expect(await service.stop()).toBe(0);

  const phases = ["read", "wait for a decoder", "decode", "wait for an engine", "encode", "search"];
  expect(collector.spans.map(({ name }) => name).sort()).toEqual(["POST /v1/captions", ...phases].sort());
  expect(new Set(collector.paths)).toEqual(new Set(["/v1/traces"]));
  expect(new Set(collector.spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
  const request = only(collector.spans, "POST /v1/captions");
  expect(request).toMatchObject({
    parentSpanId: edgeSpan,
    kind: 2,
    attributes: {
      "http.response.status_code": "200",
      "edge_caption.outcome": "ok",
      "edge_caption.priority": "bulk",
      "edge_caption.request_id": "request-1",
    },
    resource: { "service.name": "edge-caption-service", "deployment.environment": "tests" },
  });
  let endedBefore = request.startTimeUnixNano;
  for (const span of phases.map((name) => only(collector.spans, name))) {
    expect(span.parentSpanId).toBe(request.spanId);
    expect(span.startTimeUnixNano).toBeGreaterThanOrEqual(endedBefore - 1_000_000n);
    expect(span.endTimeUnixNano).toBeGreaterThanOrEqual(span.startTimeUnixNano);
    endedBefore = span.endTimeUnixNano;
  }
  expect(endedBefore).toBeLessThanOrEqual(request.endTimeUnixNano + 1_000_000n);
  expect(service.logged).toContainEqual(expect.objectContaining({ requestId: "request-1", traceId }));
});

test("begins a trace where there is none, links the photos of a batch, and marks failures", async () => {
  const { service, collector } = await startTraced({ BATCH_WAIT_MS: 1000, PRECISION: "float32" });
  const photos = await madePhotos(8);
  await Promise.all(photos.map((photo) => postCaption(service, photo)));
  expect((await postCaption(service, textFile())).status).toBe(415);
  const late = { "X-Deadline-Ms": "0" };
  expect((await postCaption(service, await madeImage("png"), { headers: late })).status).toBe(504);
  expect(await service.stop()).toBe(0);

  const { spans } = collector;
  const requests = spans.filter(({ name }) => name === "POST /v1/captions");
  expect(requests).toHaveLength(10);
  expect(new Set(requests.map((span) => span.traceId)).size).toBe(10);
  expect(requests.every(({ parentSpanId }) => parentSpanId === undefined)).toBe(true);
  const logged = service.logged.filter(({ msg }) => msg === "request").map((line) => line.traceId);
  expect(new Set(logged)).toEqual(new Set(requests.map((span) => span.traceId)));
  const refused = requests.filter(({ attributes }) => attributes["error.type"] !== undefined);
  expect(refused.map(({ attributes, status }) => [attributes["error.type"], status?.code])).toEqual([
    ["unsupported_media_type", 0],
    ["upstream_timeout", 2],
  ]);

  const encoded = spans.filter(({ name }) => name === "encode");
  const linked = encoded.flatMap(({ links }) => links);
  const firsts = encoded.filter(({ spanId }) => linked.some((link) => link.spanId === spanId));
  expect(encoded).toHaveLength(8);
  expect(firsts.length).toBeGreaterThan(0);
  for (const { spanId, traceId: ofFirst, attributes, links } of firsts) {
    expect(links).toEqual([]);
    const others = linked.filter((link) => link.spanId === spanId && link.traceId === ofFirst);
    expect(String(others.length + 1)).toBe(attributes["edge_caption.batch.photos"]);
  }
});

test.each([
  ["refuses", 500],
  ["never answers", 0],
])("captions, and ends well, when its collector %s", async (_, status) => {
  const { service, collector } = await startTraced({ status, OTEL_BSP_SCHEDULE_DELAY: 50 });
  const photo = await madeImage("jpeg");
  expect((await postCaption(service, photo)).status).toBe(200);
  await expect.poll(() => collector.paths.length, { timeout: 10_000 }).toBeGreaterThan(0);
  expect((await postCaption(service, photo)).status).toBe(200);
  expect(await service.stop()).toBe(0);
});

test("says in its log that traces could not be sent", async () => {
  const { service } = await startTraced({ status: 400, OTEL_BSP_SCHEDULE_DELAY: 50 });
  await postCaption(service, await madeImage("jpeg"));

  await expect
    .poll(() => service.logged, { timeout: 10_000 })
    .toContainEqual(expect.objectContaining({ level: "error", msg: "traces could not be sent" }));
  expect(service.complaints).toEqual([]);
});

test("sends nothing where traces are turned off", async () => {
  const { service, collector } = await startTraced({ OTEL_SDK_DISABLED: "true" });
  await postCaption(service, await madeImage("jpeg"));
  expect(await service.stop()).toBe(0);

  expect(collector.paths).toEqual([]);
});
