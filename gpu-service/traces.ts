import {
  type Attributes,
  type Context,
  defaultTextMapGetter,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { setGlobalErrorHandler, W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import type { Logger } from "pino";
import type { Interval, Timeline } from "../captioner/captioner.ts";

/** How long the last spans may take to leave; a collector that is away holds up no restart. */
const flushLimitMs = 1_500;
/** Time between two lines of log about an export that failed. */
const complainEveryMs = 60_000;

/** A request for a caption that has been answered. */
export interface TracedRequest {
  /** `traceparent` and `tracestate`, by which it continues its sender's trace. */
  headers: Record<string, string>;
  /** From the first byte to the answer, by `performance.now()`. */
  whole: Interval;
  /** Undefined if its body was not read to the end. */
  read?: Interval | undefined;
  /** Undefined if there is no caption. */
  timeline?: Timeline | undefined;
  status: number;
  outcome: string;
  attributes: Attributes;
}

/**
 * Makes a trace of each request for a caption when it has been answered, and sends traces by OTLP over HTTP in the background.
 * The SDK reads what else is set by its own variables (`OTEL_…`): sampling, headers, service name, sizes.
 */
export class Traces {
  readonly #provider: BasicTracerProvider;
  readonly #tracer: Tracer;
  readonly #propagator = new W3CTraceContextPropagator();
  /** The span to which the others of a batch link: the first that was sampled. */
  readonly #spanOfBatch = new WeakMap<Timeline["batch"], SpanContext>();

  constructor({ url, log }: { url: string; log: Logger }) {
    complainAtTimes(log);
    const named = resourceFromAttributes({ "service.name": "edge-caption-service" });
    this.#provider = new BasicTracerProvider({
      resource: defaultResource()
        .merge(named)
        .merge(detectResources({ detectors: [envDetector] })),
      spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url }))],
    });
    this.#tracer = this.#provider.getTracer("edge-caption");
  }

  /** Records a request, and returns its trace's id. */
  record({ headers, whole, read, timeline, status, outcome, attributes }: TracedRequest): string {
    const clock = Date.now() - performance.now(); // as of now: the two drift apart over days
    const parent = this.#propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter);
    const server = this.#tracer.startSpan(
      "POST /v1/captions",
      {
        kind: SpanKind.SERVER,
        startTime: clock + whole.fromMs,
        attributes: {
          "http.request.method": "POST",
          "http.route": "/v1/captions",
          "http.response.status_code": status,
          "edge_caption.outcome": outcome,
          ...(outcome === "ok" ? {} : { "error.type": outcome }),
          ...attributes,
        },
      },
      parent,
    );
    if (status >= 500) server.setStatus({ code: SpanStatusCode.ERROR });
    if (server.isRecording()) this.#recordPhases(trace.setSpan(parent, server), { clock, read, timeline });
    server.end(clock + whole.toMs);
    return server.spanContext().traceId;
  }

  #recordPhases(
    parent: Context,
    { clock, read, timeline }: Pick<TracedRequest, "read" | "timeline"> & { clock: number },
  ): void {
    const record = (name: string, { fromMs, toMs }: Interval, options: SpanOptions = {}) => {
      const span = this.#tracer.startSpan(name, { startTime: clock + fromMs, ...options }, parent);
      span.end(clock + Math.max(fromMs, toMs));
      return span.spanContext();
    };
    if (read !== undefined) record("read", read);
    if (read === undefined || timeline === undefined) return;
    const { decode, encode, search, batch } = timeline;
    record("wait for a decoder", { fromMs: read.toMs, toMs: decode.fromMs });
    record("decode", decode);
    record("wait for an engine", { fromMs: decode.toMs, toMs: encode.fromMs });
    const first = this.#spanOfBatch.get(batch);
    const links = first === undefined ? [] : [{ context: first }];
    const encoded = record("encode", encode, { attributes: { "edge_caption.batch.photos": batch.photos }, links });
    if (first === undefined) this.#spanOfBatch.set(batch, encoded);
    record("search", search);
  }

  /** Sends what is left, in so much time as a shutdown can spare. */
  async end(): Promise<void> {
    await this.#provider.forceFlush({ timeoutMillis: flushLimitMs }).catch(() => undefined); // the error handler has told
  }
}

/** Logs failed exports, once a minute at most: each batch of spans that a collector does not take is one. */
function complainAtTimes(log: Logger): void {
  let saidAtMs = Number.NEGATIVE_INFINITY;
  setGlobalErrorHandler((error) => {
    if (performance.now() - saidAtMs < complainEveryMs) return;
    saidAtMs = performance.now();
    log.error({ error: error instanceof Error ? error.message : String(error) }, "traces could not be sent");
  });
}
