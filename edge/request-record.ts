import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { routePath } from "hono/route";
import { endTime, startTime } from "hono/timing";
import type { EdgeEnv, RequestPhase } from "./context.ts";
import { describeError, log } from "./log.ts";
import { sendSpan } from "./request-trace.ts";
import { readAnalytics } from "./settings.ts";

/** Phases in the order of the data point's doubles. */
const phases: readonly RequestPhase[] = ["upload", "cache", "service"];

/** Measures a phase for `Server-Timing` and for the record. A Worker's clock advances only while it waits. */
export async function timePhase<T>(c: Context<EdgeEnv>, phase: RequestPhase, work: Promise<T>): Promise<T> {
  const begunMs = performance.now();
  startTime(c, phase);
  try {
    return await work;
  } finally {
    endTime(c, phase);
    const { phaseMs } = c.get("record");
    phaseMs[phase] = (phaseMs[phase] ?? 0) + performance.now() - begunMs;
  }
}

/** Writes one log line and one data point per request. They name the route and not the URL, which may hold a photo's id. */
export const recordRequest = createMiddleware<EdgeEnv>(async (c, next) => {
  const begunMs = performance.now();
  c.set("record", { phaseMs: {}, bytes: 0 });
  await next();
  const summary = summarize(c, performance.now() - begunMs);
  log("info", "request", { ...summary, traceId: c.get("trace")?.traceId });
  writeDataPoint(c, summary);
  sendTrace(c, summary);
});

type Summary = ReturnType<typeof summarize>;

function summarize(c: Context<EdgeEnv>, totalMs: number) {
  const { phaseMs, bytes } = c.get("record");
  return {
    requestId: c.get("requestId"),
    method: c.req.method,
    route: routePath(c, -1),
    status: c.res.status,
    outcome: c.get("errorCode") ?? "ok",
    cache: cacheOutcome(c.res.headers.get("Cache-Status")),
    tier: c.get("tier") ?? "none",
    colo: coloOf(c.req.raw),
    bytes,
    totalMs,
    phaseMs,
  };
}

/** Sends the request's span while nobody waits for it. A collector that fails is told in the log, and costs no request. */
function sendTrace(c: Context<EdgeEnv>, { requestId, cache, tier, colo, bytes, phaseMs, ...summary }: Summary): void {
  const trace = c.get("trace");
  const settings = c.get("settings")?.traces;
  if (trace?.span === undefined || settings === undefined) return;
  const phases = Object.entries(phaseMs).map(([phase, ms]) => [`edge_caption.${phase}_ms`, ms]);
  const attributes = {
    ...{ "edge_caption.request_id": requestId, "edge_caption.cache": cache, "edge_caption.tier": tier },
    ...{ "edge_caption.colo": colo, "edge_caption.bytes": bytes, ...Object.fromEntries(phases) },
  };
  const sent = sendSpan(trace, settings, { ...summary, attributes });
  c.executionCtx.waitUntil(
    sent.catch((error) => log("warn", "a span could not be sent", { error: describeError(error) })),
  );
}

/** Returns `hit`, `stored` or `collapsed`, or `none` if no cache was asked. */
function cacheOutcome(cacheStatus: string | null): string {
  return /(?:^|; )(hit|stored|collapsed)(?:;|$)/.exec(cacheStatus ?? "")?.[1] ?? "none";
}

/** Returns the data centre's airport code. */
function coloOf(request: Request): string {
  const colo = request.cf?.colo;
  return typeof colo === "string" ? colo : "none";
}

/** Writes to Analytics Engine, which tells blobs and doubles apart by position, so new ones go to the end. */
function writeDataPoint(c: Context<EdgeEnv>, summary: Summary): void {
  const { outcome, cache, colo, route, method, tier, status, totalMs, bytes, phaseMs } = summary;
  try {
    readAnalytics(c.env)?.writeDataPoint({
      indexes: [route],
      blobs: [outcome, cache, colo, route, method, tier],
      doubles: [status, totalMs, bytes, ...phases.map((phase) => phaseMs[phase] ?? 0)],
    });
  } catch (error) {
    log("warn", "a data point could not be written", { error: describeError(error) });
  }
}
