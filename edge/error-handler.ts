import type { Context } from "hono";
import { routePath } from "hono/route";
import { CaptionError, quote } from "../shared/errors.ts";
import { problemResponse } from "../shared/problem.ts";
import { shapeProblem } from "./compat/facade.ts";
import type { EdgeEnv } from "./context.ts";
import { describeError, log } from "./log.ts";
import { methodsOfPageFile } from "./page-files.ts";

/** Turns anything thrown into a problem document, and logs with its causes what is not the client's fault. */
export function handleError(error: Error, c: Context<EdgeEnv>): Promise<Response> {
  const requestId = c.get("requestId");
  const { method } = c.req;
  const route = routePath(c, -1); // a path may hold a photo's id
  if (!(error instanceof CaptionError)) {
    log("error", "unexpected error", { requestId, method, route, error: describeError(error) });
  } else if (error.status >= 500) {
    log("warn", error.message, { requestId, method, route, code: error.code, error: describeError(error) });
  }
  return answerProblem(c, error);
}

/** Answers paths without a route: 405 for the page's files, which can only be read, and 404 for all others. */
export async function handleNotFound(c: Context<EdgeEnv>): Promise<Response> {
  const methods = await methodsOfPageFile(c);
  if (methods.length > 0) return answerWrongMethod(c, methods);
  return answerProblem(c, new CaptionError("not_found", `there is nothing at ${quote(c.req.path)}`));
}

/** Answers a path whose route takes other methods. */
export function answerWrongMethod(c: Context<EdgeEnv>, allow: readonly string[]): Promise<Response> {
  const message = `expected ${allow.join(" or ")} here, received ${c.req.method}`;
  return answerProblem(c, new CaptionError("method_not_allowed", message, { allow }));
}

async function answerProblem(c: Context<EdgeEnv>, error: Error): Promise<Response> {
  c.set("errorCode", error instanceof CaptionError ? error.code : "internal");
  const response = problemResponse(error, c.get("requestId"));
  // RFC 9110, 15.5.2, requires a challenge.
  if (response.status === 401) response.headers.set("WWW-Authenticate", 'Bearer realm="edge-caption"');
  return shapeProblem(c, response);
}
