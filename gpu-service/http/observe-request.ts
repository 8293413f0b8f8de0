import type { HttpBindings } from "@hono/node-server";
import { createMiddleware } from "hono/factory";
import type { RequestIdVariables } from "hono/request-id";
import type { Logger } from "pino";
import type { Interval, PhaseTimings, Timeline } from "../../captioner/captioner.ts";
import { CaptionError } from "../../shared/errors.ts";
import type { Priority } from "../../shared/priority.ts";
import type { Metrics } from "../metrics.ts";
import type { Traces } from "../traces.ts";
import type { Lifecycle } from "./lifecycle.ts";

export interface ServiceEnv {
  Bindings: HttpBindings;
  Variables: RequestIdVariables & {
    /** Set on requests for captions. */
    isCaption?: true;
    /** Set on requests for captions once it is known; one refused before counts as a person's. */
    priority?: Priority;
    /** Set on liveness and readiness probes. */
    isProbe?: true;
    /** Set when the photo has been read. */
    read?: Interval;
    /** Set when there is a caption. */
    timings?: PhaseTimings;
    timeline?: Timeline;
  };
}

interface Observers {
  lifecycle: Lifecycle;
  metrics: Metrics;
  /** Undefined unless traces are on. */
  traces?: Traces | undefined;
  log: Logger;
}

/** Times, counts and traces each request, and writes its line of log. */
export function observeRequest({ lifecycle, metrics, traces, log }: Observers) {
  return createMiddleware<ServiceEnv>(async (c, next) => {
    const begun = performance.now();
    await next();
    const total = performance.now() - begun;
    const timings = c.get("timings");
    c.header("Server-Timing", serverTimingOf({ ...timings, total }));
    if (lifecycle.isDraining) c.header("Connection", "close");
    const outcome = outcomeOf(c);
    const priority = c.get("priority") ?? "interactive";
    if (c.get("isCaption")) metrics.onRequest({ outcome, priority });
    if (outcome === "ok" && timings !== undefined) metrics.onCaption({ ...timings, total }, priority);
    const { method, path } = c.req;
    const traced = c.get("isCaption") ? traces : undefined;
    const traceId =
      traced?.record({
        headers: c.req.header(),
        whole: { fromMs: begun, toMs: begun + total },
        read: c.get("read"),
        timeline: c.get("timeline"),
        status: c.res.status,
        outcome,
        attributes: { "edge_caption.priority": priority, "edge_caption.request_id": c.get("requestId") },
      }) ?? traceIdOf(c.req.header("traceparent"));
    const isExpected = outcome === "ok" || (c.get("isProbe") && outcome === "overloaded"); // while it starts or drains
    const level = c.get("isCaption") || !isExpected ? "info" : "debug"; // probes come every few seconds
    log[level](
      {
        requestId: c.get("requestId"),
        traceId,
        method,
        path,
        status: c.res.status,
        outcome,
        ...(c.get("isCaption") && { priority }),
        durationMs: rounded(total),
      },
      "request",
    );
  });
}

/** `name;dur=milliseconds` (W3C Server Timing), in the order of the flow. */
function serverTimingOf(timings: Record<string, number>): string {
  return Object.entries(timings)
    .map(([phase, ms]) => `${phase};dur=${rounded(ms)}`)
    .join(", ");
}

/** The trace id of a `traceparent` (W3C Trace Context, version 00). */
function traceIdOf(traceparent: string | undefined): string | undefined {
  return traceparent?.match(/^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/)?.[1];
}

function outcomeOf({ req, error }: { req: { raw: Request }; error: Error | undefined }): string {
  if (req.raw.signal.aborted) return "client_gone";
  if (error === undefined) return "ok";
  return error instanceof CaptionError ? error.code : "internal";
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
