import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { Caption } from "../caption-cache.ts";
import { cacheHeaders } from "../caption-response.ts";
import type { EdgeEnv } from "../edge-env.ts";
import type { FacadeName } from "../settings.ts";

/** Lets a façade's routes be there only where the setting FACADES names it. */
export function facade(name: FacadeName) {
  return createMiddleware<EdgeEnv>(async (c, next) => {
    if (!c.get("settings").facades.includes(name)) return c.notFound();
    return next();
  });
}

/** An answer in another service's shape, which says how it came about as our own do. */
export function facadeResponse(c: Context<EdgeEnv>, { body, caption }: { body: object; caption: Caption }): Response {
  return c.json(body, 200, { "Cache-Control": "no-store, no-transform", ...cacheHeaders(caption) });
}
