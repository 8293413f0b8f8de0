import type { Context, Hono, MiddlewareHandler } from "hono";
import { TrieRouter } from "hono/router/trie-router";
import { isFacadeOff } from "./compat/facade.ts";
import type { EdgeEnv } from "./context.ts";
import { answerWrongMethod } from "./error-handler.ts";
import { areJobsOff } from "./jobs/job-handlers.ts";

/**
 * Finds the methods of a request's route, for `Allow` and for preflights. hono's own `method-not-allowed` would join the
 * methods of all matching patterns, and `/v1/captions/lookup` is not a photo's id.
 */
export function routeMethods(app: Hono<EdgeEnv>): MiddlewareHandler<EdgeEnv> {
  let find: ((path: string) => string[]) | undefined;
  return async (c, next) => {
    find ??= methodFinder(app); // the routes are registered after this middleware
    const methods = find(c.req.path);
    if (methods.length > 0 && !isFacadeOff(c) && !areJobsOff(c)) c.set("methods", methods);
    await next();
  };
}

/** Refuses methods that the route does not take, before the body is read. */
export async function expectMethod(c: Context<EdgeEnv>, next: () => Promise<void>): Promise<Response | undefined> {
  const methods = c.get("methods");
  if (methods !== undefined && !methods.includes(c.req.method)) return answerWrongMethod(c, methods);
  await next();
  return undefined;
}

/** Returns a function that finds a path's methods. A route that equals the path comes before patterns that match it. */
function methodFinder({ routes }: Hono<EdgeEnv>): (path: string) => string[] {
  const methodsOf = new Map<string, Set<string>>();
  for (const { method, path } of routes) {
    if (method === "ALL") continue; // middleware
    const methods = methodsOf.get(path) ?? new Set();
    for (const one of method === "GET" ? ["GET", "HEAD"] : [method]) methods.add(one);
    methodsOf.set(path, methods);
  }
  const patterns = new TrieRouter<string[]>();
  for (const [path, methods] of methodsOf) patterns.add("ALL", path, [...methods]);
  return (path) => {
    const exact = methodsOf.get(path);
    return exact === undefined ? patterns.match("ALL", path)[0].flatMap(([methods]) => methods) : [...exact];
  };
}
