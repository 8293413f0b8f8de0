import type { HttpBindings } from "@hono/node-server";
import { createMiddleware } from "hono/factory";
import type { RequestIdVariables } from "hono/request-id";
import { CaptionError } from "../shared/errors.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { log } from "./log.ts";

export interface ServiceEnv {
  Bindings: HttpBindings;
  Variables: RequestIdVariables;
}

/** Times each request and writes its one line of log. */
export function observeRequest(lifecycle: Lifecycle) {
  return createMiddleware<ServiceEnv>(async (c, next) => {
    const begun = performance.now();
    await next();
    const durationMs = Math.round((performance.now() - begun) * 10) / 10;
    c.header("Server-Timing", `total;dur=${durationMs}`);
    if (lifecycle.isDraining) c.header("Connection", "close");
    const { method, path } = c.req;
    const requestId = c.get("requestId");
    log("info", "request", { requestId, method, path, status: c.res.status, outcome: outcomeOf(c), durationMs });
  });
}

function outcomeOf({ req, error }: { req: { raw: Request }; error: Error | undefined }): string {
  if (req.raw.signal.aborted) return "client_gone";
  if (error === undefined) return "ok";
  return error instanceof CaptionError ? error.code : "internal";
}
