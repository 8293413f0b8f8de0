import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { EdgeEnv } from "./context.ts";
import { readAssets } from "./settings.ts";

const readingMethods = ["GET", "HEAD"];

/**
 * Serves the page's files as Cloudflare would without the worker; all other requests continue to the routes. The worker runs
 * first so that a body posted to one of the files is read: Cloudflare's own 405 leaves it unread.
 */
export const pageFiles = createMiddleware<EdgeEnv>(async (c, next) => {
  const isForRoutes = c.req.path.startsWith("/v1/") || !readingMethods.includes(c.req.method);
  const file = isForRoutes ? null : await findPageFile(c);
  return file ?? next();
});

/** Returns the methods of the page's file at the request's path; none if there is no such file. */
export async function methodsOfPageFile(c: Context<EdgeEnv>): Promise<readonly string[]> {
  const file = await findPageFile(c, { method: "HEAD" });
  return file === null ? [] : readingMethods;
}

/** Fetches a file with the request's headers, for `If-None-Match` and ranges, and without its body. */
async function findPageFile(c: Context<EdgeEnv>, { method = c.req.method } = {}): Promise<Response | null> {
  const { url, headers } = c.req.raw;
  const response = await readAssets(c.env)?.fetch(new Request(url, { method, headers, redirect: "manual" }));
  if (response === undefined || response.status === 404) return null;
  return response;
}
