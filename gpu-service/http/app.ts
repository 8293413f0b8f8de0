import { Hono } from "hono";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import type { Logger } from "pino";
import { quote, type ServiceReadiness } from "../../shared/contract.ts";
import { CaptionError } from "../../shared/errors.ts";
import { problemResponse } from "../../shared/problem.ts";
import type { Metrics } from "../metrics.ts";
import type { Settings } from "../settings.ts";
import { captionRequest } from "./caption-request.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { observeRequest, type ServiceEnv } from "./observe-request.ts";

interface AppParts {
  settings: Settings;
  lifecycle: Lifecycle;
  metrics: Metrics;
  log: Logger;
}

/** A browser may neither run, frame nor sniff an answer. Whether there is TLS is its host's affair. */
const dataAlone = secureHeaders({
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  strictTransportSecurity: false,
});

/** The service's routes. The aliases are what Kubernetes, SageMaker and KServe ask for. */
export function createApp({ settings, lifecycle, metrics, log }: AppParts): Hono<ServiceEnv> {
  const app = new Hono<ServiceEnv>();
  app.use(requestId({ limitLength: 128 }));
  app.use(observeRequest({ lifecycle, metrics, log }));
  app.use(dataAlone);
  app.post("/v1/captions", captionRequest({ settings, lifecycle }));
  app.get("/v1/model", (c) => c.json(lifecycle.expectOpen().card));
  for (const path of ["/livez", "/health", "/ping", "/v2/health/live"])
    app.get(path, (c) => c.json({ status: "live" }));
  for (const path of ["/readyz", "/v2/health/ready"]) app.get(path, (c) => c.json(readinessOf(lifecycle)));

  app.get("/metrics", async (c) => c.body(await metrics.text(), 200, { "Content-Type": metrics.contentType }));

  // a route of its own: what `notFound` throws passes by whoever observes the request
  app.all("*", (c) => {
    const allow = methodsOf(app, c.req.path);
    if (allow.length === 0) throw new CaptionError("not_found", `there is nothing at ${quote(c.req.path)}`);
    const expected = allow.join(" or ");
    throw new CaptionError("method_not_allowed", `expected ${expected}, received ${c.req.method}`, { allow });
  });
  app.onError((error, c) => {
    const isStranger = !(error instanceof CaptionError);
    if (isStranger) log.error({ requestId: c.get("requestId"), error: error.stack }, "unexpected error");
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

/** The methods a path answers; GET answers HEAD too. */
function methodsOf(app: Hono<ServiceEnv>, path: string): string[] {
  const methods = app.routes.filter((route) => route.path === path).map(({ method }) => method);
  return methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
}
