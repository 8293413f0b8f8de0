import { cors } from "hono/cors";
import { createMiddleware } from "hono/factory";
import { secureHeaders } from "hono/secure-headers";
import type { EdgeEnv } from "./context.ts";
import { readCorsOrigins } from "./settings.ts";

/** Forbids browsers to run or frame answers, which are data. Static pages have their own `_headers`. */
export const securityHeaders = secureHeaders({
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  xFrameOptions: "DENY",
  strictTransportSecurity: "max-age=15552000", // without subdomains, which are not ours to bind
});

/** Headers of the contract, of tracing, and of other services' clients; Firefox asks for `User-Agent` too. */
const requestHeaders = [
  ...["Authorization", "Content-Type", "Content-Digest", "If-None-Match", "X-Request-Id"],
  ...["traceparent", "tracestate", "baggage"],
  ...["User-Agent", "X-Use-Cache", "X-Wait-For-Model"],
];
const responseHeaders = [
  ...["Age", "Allow", "Cache-Status", "Content-Location", "ETag", "RateLimit-Policy", "Retry-After", "Server-Timing"],
  ...["Link", "Location", "WWW-Authenticate", "X-Request-Id"],
];
/** The longest time for which any browser keeps the answer to a preflight, which is Firefox's. */
const preflightSeconds = 86_400;

/**
 * Lets pages of the origins in the setting CORS_ORIGINS call and read the answers' headers. Answers OPTIONS with the route's
 * own methods.
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
