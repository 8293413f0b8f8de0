import { once } from "node:events";
import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { parse } from "protobufjs";
import * as z from "zod";

/** What is read here of OpenTelemetry's `trace_service.proto`, `trace.proto`, `resource.proto` and `common.proto`. */
const { root } = parse(`
  syntax = "proto3";
  message Export { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { repeated Span spans = 2; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
    fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
    repeated KeyValue attributes = 9; repeated Link links = 13; Status status = 15;
  }
  message Link { bytes trace_id = 1; bytes span_id = 2; }
  message Status { int32 code = 3; }
`);
const exportType = root.lookupType("Export");

/** Bytes in protobuf, and in JSON their hex digits. */
const hexSchema = z.union([
  z.string().regex(/^[0-9a-f]+$/),
  z.instanceof(Uint8Array).transform((bytes) => Buffer.from(bytes).toString("hex")),
]);
const attributesSchema = z
  .array(z.object({ key: z.string(), value: z.record(z.string(), z.unknown()) }))
  .default([])
  .transform((pairs) => Object.fromEntries(pairs.map(({ key, value }) => [key, Object.values(value)[0]])));
const spanSchema = z.object({
  traceId: hexSchema,
  spanId: hexSchema,
  parentSpanId: hexSchema.optional(),
  name: z.string(),
  kind: z.int(),
  startTimeUnixNano: z.string().transform(BigInt),
  endTimeUnixNano: z.string().transform(BigInt),
  attributes: attributesSchema,
  links: z.array(z.object({ traceId: hexSchema, spanId: hexSchema })).default([]),
  status: z.object({ code: z.int().default(0) }).optional(),
});
const exportSchema = z.object({
  resourceSpans: z
    .array(
      z.object({
        resource: z.object({ attributes: attributesSchema }),
        scopeSpans: z.array(z.object({ spans: z.array(spanSchema).default([]) })),
      }),
    )
    .default([]),
});

export type CollectedSpan = z.infer<typeof spanSchema> & { resource: Record<string, unknown> };

export interface Collector {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  endpoint: string;
  /** What it has received up to now. */
  spans: CollectedSpan[];
  /** The paths of all requests. */
  paths: string[];
  close(): void;
}

interface CollectorSettings {
  /** What it answers; 0 never answers. */
  status?: number;
  /** Headers without which it answers 401. */
  headers?: Record<string, string>;
}

/** A collector of OpenTelemetry traces by OTLP over HTTP, in protobuf or JSON. */
export async function startCollector({
  status: usual = 200,
  headers = {},
}: CollectorSettings = {}): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const paths: string[] = [];
  const server = createServer(async (request, response) => {
    paths.push(request.url ?? "");
    const sent = await buffer(request);
    const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(sent) : sent;
    const isAllowed = Object.entries(headers).every(([name, value]) => request.headers[name] === value);
    const status = isAllowed ? usual : 401;
    if (status === 0) return;
    const isJson = request.headers["content-type"] === "application/json";
    if (status === 200) spans.push(...spansIn(isJson ? JSON.parse(body.toString()) : fromProtobuf(body)));
    response.writeHead(status, { "Content-Type": isJson ? "application/json" : "application/x-protobuf" }).end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    spans,
    paths,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function fromProtobuf(body: Buffer): unknown {
  return exportType.toObject(exportType.decode(body), { longs: String });
}

function spansIn(exported: unknown): CollectedSpan[] {
  const { resourceSpans } = exportSchema.parse(exported);
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ ...span, resource: resource.attributes }))),
  );
}
