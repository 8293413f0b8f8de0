import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { Caption } from "../caption-cache.ts";
import { cacheHeaders } from "../caption-response.ts";
import type { EdgeEnv } from "../edge-env.ts";
import { type FacadeName, facadeNames, readFacades } from "../settings.ts";

/** Where each façade's routes are. */
export const facadePaths: Record<FacadeName, `/${string}`> = { max: "/model/predict", huggingface: "/models/*" };

/** Lets a façade's routes be there only where the setting FACADES names it. */
export const facade = createMiddleware<EdgeEnv>(async (c, next) => {
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

/** An answer in another service's shape, which says how it came about as our own do. */
export function facadeResponse(c: Context<EdgeEnv>, { body, caption }: { body: object; caption: Caption }): Response {
  return c.json(body, 200, { "Cache-Control": "no-store, no-transform", ...cacheHeaders(caption) });
}
