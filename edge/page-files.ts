import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { EdgeEnv } from "./edge-env.ts";
import { readAssets } from "./settings.ts";

const readingMethods = ["GET", "HEAD"];

/**
 * Answers with the page's files, as Cloudflare would without the worker; all else goes on to the routes. The worker stands
 * before them so that a body posted to one of them is read: Cloudflare's own 405 leaves it unread.
 */
export const pageFiles = createMiddleware<EdgeEnv>(async (c, next) => {
  const isForRoutes = c.req.path.startsWith("/v1/") || !readingMethods.includes(c.req.method);
  const file = isForRoutes ? null : await findPageFile(c);
  return file ?? next();
});

/** What may be done with the page's file at the request's path; nothing where there is none. */
export async function methodsOfPageFile(c: Context<EdgeEnv>): Promise<readonly string[]> {
  const file = await findPageFile(c, { method: "HEAD" });
  return file === null ? [] : readingMethods;
}

/** The request's headers go along, for `If-None-Match` and ranges; its body does not. */
async function findPageFile(c: Context<EdgeEnv>, { method = c.req.method } = {}): Promise<Response | null> {
  const { url, headers } = c.req.raw;
  const response = await readAssets(c.env)?.fetch(new Request(url, { method, headers, redirect: "manual" }));
  if (response === undefined || response.status === 404) return null;
  return response;
}
