import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { Caption } from "../caption-cache.ts";
import { cacheHeaders } from "../caption-response.ts";
import type { EdgeEnv } from "../context.ts";
import { type FacadeName, facadeNames, readFacades } from "../settings.ts";

/** Path of each façade. */
export const facadePaths: Record<FacadeName, `/${string}`> = { max: "/model/predict", huggingface: "/models/*" };

/** Answers 404 for a façade unless the setting FACADES names it. */
export const requireFacade = createMiddleware<EdgeEnv>(async (c, next) => {
  if (isFacadeOff(c)) return c.notFound();
  return next();
});

/** Whether a request is for a façade that the setting FACADES does not name. */
export function isFacadeOff(c: Context<EdgeEnv>): boolean {
  const isAt = (path: string) =>
    c.req.path === path || (path.endsWith("*") && c.req.path.startsWith(path.slice(0, -1)));
  const name = facadeNames.find((one) => isAt(facadePaths[one]));
  return name !== undefined && !readFacades(c.env).includes(name);
}

/** Builds an answer in another service's shape, with our own headers on how it came about. */
export function facadeResponse(c: Context<EdgeEnv>, { body, caption }: { body: object; caption: Caption }): Response {
  return c.json(body, 200, { "Cache-Control": "no-store, no-transform", ...cacheHeaders(caption) });
}
