import { cors } from "hono/cors";
import { createMiddleware } from "hono/factory";
import { secureHeaders } from "hono/secure-headers";
import type { EdgeEnv } from "./edge-env.ts";
import { readCorsOrigins } from "./settings.ts";

/** For answers that are data: a browser may neither run nor frame them. Static pages have `_headers` of their own. */
export const securityHeaders = secureHeaders({
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  xFrameOptions: "DENY",
  strictTransportSecurity: "max-age=15552000", // this name alone: what else stands under the domain is not ours to bind
});

/** Those of the contract; of tracing; and what clients of other services send, Firefox telling of its `User-Agent`. */
const requestHeaders = [
  ...["Authorization", "Content-Type", "Content-Digest", "If-None-Match", "X-Request-Id"],
  ...["traceparent", "tracestate", "baggage"],
  ...["User-Agent", "X-Use-Cache", "X-Wait-For-Model"],
];
const responseHeaders = [
  ...["Age", "Allow", "Cache-Status", "Content-Location", "ETag", "RateLimit-Policy", "Retry-After", "Server-Timing"],
  ...["WWW-Authenticate", "X-Request-Id"],
];
/** The longest that browsers keep the answer to a preflight, which is Firefox's. */
const preflightSeconds = 86_400;

/**
 * Lets pages of other origins call, those that the setting CORS_ORIGINS names, and tells them what any answer says of itself.
 * OPTIONS is answered with the route's own methods.
 */
export const allowOrigins = createMiddleware<EdgeEnv>((c, next) => {
  const origins = readCorsOrigins(c.env);
  const methods = c.get("methods");
  const isUnknown = c.req.method === "OPTIONS" && methods === undefined;
  if (origins.length === 0 || isUnknown) return next();
  if (c.req.method === "OPTIONS") c.header("Allow", methods?.join(", "));
  const allow = cors({
    origin: origins.includes("*") ? "*" : [...origins],
    allowMethods: [...(methods ?? [])],
    allowHeaders: requestHeaders,
    exposeHeaders: responseHeaders,
    maxAge: preflightSeconds,
  });
  return allow(c, next);
});
