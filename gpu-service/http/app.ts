import { Hono } from "hono";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import type { Logger } from "pino";
import type { ServiceReadiness } from "../../shared/contract.ts";
import { CaptionError, quote } from "../../shared/errors.ts";
import { problemResponse } from "../../shared/problem.ts";
import type { Metrics } from "../metrics.ts";
import type { Secrets } from "../secrets.ts";
import type { Settings } from "../settings.ts";
import type { Traces } from "../traces.ts";
import { captionRequest } from "./caption-request.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { observeRequest, type ServiceEnv } from "./observe-request.ts";

interface AppParts {
  settings: Settings;
  secrets: Secrets;
  lifecycle: Lifecycle;
  metrics: Metrics;
  /** Undefined unless traces are on. */
  traces?: Traces | undefined;
  log: Logger;
}

/** Headers that keep browsers from running, framing or sniffing an answer. TLS is up to the host. */
const apiHeaders = secureHeaders({
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  strictTransportSecurity: false,
});

/** Our own path, and those of Kubernetes, SageMaker and KServe. */
const livePaths = ["/livez", "/health", "/ping", "/v2/health/live"];
const readyPaths = ["/readyz", "/v2/health/ready"];

/** Creates the service's app; `/metrics` is part of it unless it has a port of its own. */
export function createApp({ settings, secrets, lifecycle, metrics, traces, log }: AppParts): Hono<ServiceEnv> {
  const app = createObservedApp({ lifecycle, metrics, traces, log });
  app.post("/v1/captions", captionRequest({ settings, secrets, lifecycle }));
  app.get("/v1/model", (c) => c.json(lifecycle.expectOpen().card));
  addProbes(app, lifecycle);
  if (settings.metricsPort === undefined) addMetrics(app, metrics);
  return withFallbackRoutes(app, log);
}

/** Creates the app of METRICS_PORT. */
export function createMetricsApp({
  lifecycle,
  metrics,
  log,
}: Omit<AppParts, "settings" | "secrets" | "traces">): Hono<ServiceEnv> {
  const app = createObservedApp({ lifecycle, metrics, log });
  addProbes(app, lifecycle);
  addMetrics(app, metrics);
  return withFallbackRoutes(app, log);
}

function createObservedApp(observers: Omit<AppParts, "settings" | "secrets">): Hono<ServiceEnv> {
  const app = new Hono<ServiceEnv>();
  app.use(requestId({ limitLength: 128 }));
  app.use(observeRequest(observers));
  app.use(apiHeaders);
  return app;
}

function addProbes(app: Hono<ServiceEnv>, lifecycle: Lifecycle): void {
  for (const path of [...livePaths, ...readyPaths]) {
    app.get(path, (c) => {
      c.set("isProbe", true);
      return c.json(livePaths.includes(path) ? { status: "live" } : readinessOf(lifecycle));
    });
  }
}

function addMetrics(app: Hono<ServiceEnv>, metrics: Metrics): void {
  app.get("/metrics", async (c) => c.body(await metrics.text(), 200, { "Content-Type": metrics.contentType }));
}

/** Adds the last route and the error handler. Hono's `notFound` is not used, since its errors bypass `observeRequest`. */
function withFallbackRoutes(app: Hono<ServiceEnv>, log: Logger): Hono<ServiceEnv> {
  app.all("*", (c) => {
    const allow = methodsOf(app, c.req.path);
    if (allow.length === 0) throw new CaptionError("not_found", `there is nothing at ${quote(c.req.path)}`);
    const expected = allow.join(" or ");
    throw new CaptionError("method_not_allowed", `expected ${expected}, received ${c.req.method}`, { allow });
  });
  app.onError((error, c) => {
    const isUnexpected = !(error instanceof CaptionError);
    if (isUnexpected) log.error({ requestId: c.get("requestId"), error: error.stack }, "unexpected error");
    return problemResponse(error, c.get("requestId"));
  });
  return app;
}

function readinessOf(lifecycle: Lifecycle): ServiceReadiness {
  const captioner = lifecycle.expectReady();
  const { card } = captioner;
  const engine = captioner.engine();
  const { ready, expected } = captioner.state().engines;
  return {
    status: "ready",
    engine: engine.name,
    reason: engine.reason,
    device: engine.device,
    precision: engine.precision,
    fallback: engine.isFallback,
    engines: { ready, expected },
    model: { id: card.id, revision: card.revision },
  };
}

/** The methods of a path; GET includes HEAD. */
function methodsOf(app: Hono<ServiceEnv>, path: string): string[] {
  const methods = app.routes.filter((route) => route.path === path).map(({ method }) => method);
  return methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
}
