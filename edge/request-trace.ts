import * as z from "zod";

/** Settings of traces, under OpenTelemetry's names. */
export const traceShape = {
  /** Collector, such as https://otlp.example.com; none by default. Each traced request sends it one, which is billed. */
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/, error: "expected an http or https address" }).optional(),
  /** Headers for it, such as a hosted collector's key: `name=value`, percent-encoded, with commas between. A secret. */
  OTEL_EXPORTER_OTLP_HEADERS: z
    .string()
    .regex(/^(?:\s*[\w-]+=(?:[^,%]|%[0-9a-f]{2})*(?:,|$))*$/i, "expected name=value, with commas between")
    .default(""),
  /** Share of the requests that are recorded. A sender's `traceparent` may decline, but ask for no more: each costs. */
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).default(1),
};

/** Where a request stands in a trace (W3C Trace Context, level 1). */
export interface RequestTrace {
  traceId: string;
  /** What the services are told, as whose parts they record what they do. */
  traceparent: string;
  /** The span of this worker's own; undefined unless the request is recorded. */
  span?: { spanId: string; parentSpanId: string | undefined };
}

interface TraceSettings {
  /** Where spans are posted. */
  url: string;
  headers: Record<string, string>;
  /** Share of the requests that are recorded. */
  share: number;
}

/** Returns where spans go, and which; undefined where no collector is named. */
export function traceSettings({
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
  OTEL_EXPORTER_OTLP_HEADERS: headers,
  OTEL_TRACES_SAMPLER_ARG: share,
}: z.infer<z.ZodObject<typeof traceShape>>): TraceSettings | undefined {
  if (endpoint === undefined) return undefined;
  const pairs = headers.split(",").filter((pair) => pair.trim() !== "");
  const decoded = pairs.map((pair) => pair.split(/=(.*)/s, 2).map((part) => decodeURIComponent(part.trim())));
  return { url: `${endpoint.replace(/\/$/, "")}/v1/traces`, headers: Object.fromEntries(decoded), share };
}

/** A request that has been answered. */
interface TracedRequest {
  route: string;
  method: string;
  status: number;
  outcome: string;
  totalMs: number;
  attributes: Record<string, string | number>;
}

const serverKind = 2;
const errorStatus = 2;
const sampledFlag = 1;
/** A collector that hangs must not keep the worker's connections. */
const exportTimeoutMs = 5_000;

/**
 * Continues the sender's trace or begins one. A share of the requests is recorded; the sender's flag can decline, and not make
 * it more, since anybody can be the sender. Where traces are off the sender's is passed on as it is. Whatever is no
 * `traceparent` counts as none.
 */
export function traceOf(header: string | undefined, settings: TraceSettings | undefined): RequestTrace | undefined {
  const [, version, senderTrace, senderSpan, flags = ""] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(header ?? "") ?? [];
  const isContinued = header !== undefined && version !== undefined && senderTrace !== undefined;
  if (settings === undefined) return isContinued ? { traceId: senderTrace, traceparent: header } : undefined;
  const traceId = isContinued ? senderTrace : randomHex(16);
  const isDeclined = isContinued && (Number.parseInt(flags, 16) & sampledFlag) === 0;
  const isRecorded = !isDeclined && Math.random() < settings.share;
  const spanId = randomHex(8);
  const traceparent = `00-${traceId}-${spanId}-0${Number(isRecorded)}`;
  return { traceId, traceparent, ...(isRecorded && { span: { spanId, parentSpanId: senderSpan } }) };
}

/** Posts the worker's span as OTLP in JSON. Throws if the collector does not take it. */
export async function sendSpan(
  { traceId, span }: RequestTrace,
  { url, headers }: TraceSettings,
  { route, method, status, outcome, totalMs, attributes }: TracedRequest,
): Promise<void> {
  const endMs = Date.now();
  const written = {
    ...{ traceId, ...span, name: `${method} ${route}`, kind: serverKind, flags: sampledFlag },
    ...{ startTimeUnixNano: nanoseconds(endMs - totalMs), endTimeUnixNano: nanoseconds(endMs) },
    attributes: attributeList({
      ...{ "http.request.method": method, "http.route": route, "http.response.status_code": status },
      ...{ "edge_caption.outcome": outcome, ...(outcome !== "ok" && { "error.type": outcome }), ...attributes },
    }),
    status: status >= 500 ? { code: errorStatus } : {},
  };
  const resource = { attributes: attributeList({ "service.name": "edge-caption-edge" }) };
  const scopeSpans = [{ scope: { name: "edge-caption" }, spans: [written] }];
  const response = await fetch(url, {
    method: "POST",
    headers: { ...headers, "Content-Type": "application/json" },
    body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans }] }),
    redirect: "manual",
    signal: AbortSignal.timeout(exportTimeoutMs),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`the collector answered ${response.status}`);
}

function attributeList(attributes: Record<string, string | number>) {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: attributeValue(value) }));
}

function attributeValue(value: string | number) {
  if (typeof value === "string") return { stringValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/** Writes a time as 64 bits in decimal, which a number does not hold. */
function nanoseconds(ms: number): string {
  return `${Math.round(ms * 1000)}000`;
}

function randomHex(bytes: number): string {
  return [...crypto.getRandomValues(new Uint8Array(bytes))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
