import { cors } from "hono/cors";
import { createMiddleware } from "hono/factory";
import { secureHeaders } from "hono/secure-headers";
import type { EdgeEnv } from "./edge-env.ts";

/** For answers that are data: a browser may neither run nor frame them. Static pages have `_headers` of their own. */
export const securityHeaders = secureHeaders({
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  xFrameOptions: "DENY",
  strictTransportSecurity: "max-age=15552000", // this name alone: what else stands under the domain is not ours to bind
});

const requestHeaders = [
  "Authorization",
  "Content-Type",
  "Content-Digest",
  "If-None-Match",
  "X-Request-Id",
  "traceparent",
];
const responseHeaders = [
  "Age",
  "Cache-Status",
  "Content-Location",
  "ETag",
  "RateLimit-Policy",
  "Retry-After",
  "Server-Timing",
  "X-Request-Id",
];
/** The longest that browsers keep the answer to a preflight, which is Firefox's. */
const preflightSeconds = 86_400;

/** Lets pages of other origins call, those that the setting CORS_ORIGINS names. */
export const allowOrigins = createMiddleware<EdgeEnv>((c, next) => {
  const { corsOrigins } = c.get("settings");
  if (corsOrigins.length === 0) return next();
  const allow = cors({
    origin: corsOrigins.includes("*") ? "*" : [...corsOrigins],
    allowMethods: ["GET", "HEAD", "POST", "DELETE"],
    allowHeaders: requestHeaders,
    exposeHeaders: responseHeaders,
    maxAge: preflightSeconds,
  });
  return allow(c, next);
});
