import { Hono } from "hono";
import { requestId } from "hono/request-id";
import { quote, type ServiceReadiness } from "../shared/contract.ts";
import { CaptionError } from "../shared/errors.ts";
import { problemResponse } from "../shared/problem.ts";
import { captionRequest } from "./caption-request.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { log } from "./log.ts";
import { observeRequest, type ServiceEnv } from "./observe-request.ts";
import type { Settings } from "./settings.ts";

/** The service's routes. The aliases are what Kubernetes, SageMaker and KServe ask for. */
export function createApp({ settings, lifecycle }: { settings: Settings; lifecycle: Lifecycle }): Hono<ServiceEnv> {
  const app = new Hono<ServiceEnv>();
  app.use(requestId({ limitLength: 128 }));
  app.use(observeRequest(lifecycle));
  app.post("/v1/captions", captionRequest({ settings, lifecycle }));
  app.get("/v1/model", (c) => c.json(lifecycle.expectReady().card));
  for (const path of ["/livez", "/health", "/ping", "/v2/health/live"])
    app.get(path, (c) => c.json({ status: "live" }));
  for (const path of ["/readyz", "/v2/health/ready"]) app.get(path, (c) => c.json(readinessOf(lifecycle)));

  app.notFound((c) => {
    const allow = methodsOf(app, c.req.path);
    if (allow.length === 0) throw new CaptionError("not_found", `there is nothing at ${quote(c.req.path)}`);
    const expected = allow.join(" or ");
    throw new CaptionError("method_not_allowed", `expected ${expected}, received ${c.req.method}`, { allow });
  });
  app.onError((error, c) => {
    const isStranger = !(error instanceof CaptionError);
    if (isStranger) log("error", "unexpected error", { requestId: c.get("requestId"), error: error.stack });
    return problemResponse(error, c.get("requestId"));
  });
  return app;
}

function readinessOf(lifecycle: Lifecycle): ServiceReadiness {
  const { engine, card } = lifecycle.expectReady();
  return {
    status: "ready",
    engine: engine.name,
    reason: engine.reason,
    device: engine.device,
    model: { id: card.id, revision: card.revision },
  };
}

/** The methods a path answers; GET answers HEAD too. */
function methodsOf(app: Hono<ServiceEnv>, path: string): string[] {
  const methods = app.routes.filter((route) => route.path === path).map(({ method }) => method);
  return methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
}
