import type { Context } from "hono";
import { routePath } from "hono/route";
import { quote } from "../shared/contract.ts";
import { CaptionError } from "../shared/errors.ts";
import { problemResponse } from "../shared/problem.ts";
import type { EdgeEnv } from "./edge-env.ts";
import { describeError, log } from "./log.ts";
import { methodsOfPageFile } from "./page-files.ts";

/** Everything thrown becomes a problem document here; what is not the client's doing is logged with its causes. */
export function answerError(error: Error, c: Context<EdgeEnv>): Response {
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

/** The answer where there is no route. The page's files are there to be read only. */
export async function answerUnknownPath(c: Context<EdgeEnv>): Promise<Response> {
  const methods = await methodsOfPageFile(c);
  if (methods.length > 0) return answerWrongMethod(c, methods);
  return answerProblem(c, new CaptionError("not_found", `there is nothing at ${quote(c.req.path)}`));
}

/** The answer where a path is there, for other methods. */
export function answerWrongMethod(c: Context<EdgeEnv>, allow: readonly string[]): Response {
  const message = `expected ${allow.join(" or ")} here, received ${c.req.method}`;
  return answerProblem(c, new CaptionError("method_not_allowed", message, { allow }));
}

function answerProblem(c: Context<EdgeEnv>, error: Error): Response {
  c.set("errorCode", error instanceof CaptionError ? error.code : "internal");
  const response = problemResponse(error, c.get("requestId"));
  // RFC 9110 wants to hear how one identifies oneself.
  if (response.status === 401) response.headers.set("WWW-Authenticate", 'Bearer realm="edge-caption"');
  return response;
}
