import { createMiddleware } from "hono/factory";
import type { RequestIdVariables } from "hono/request-id";
import type { ErrorCode } from "../shared/errors.ts";
import { CaptionCache } from "./caption-cache.ts";
import { CaptionService } from "./caption-service.ts";
import type { Flights } from "./join-flight.ts";
import { ModelRevision } from "./model-revision.ts";
import type { Tier } from "./rate-limit.ts";
import type { RequestRecord } from "./request-record.ts";
import { ServiceOrigins } from "./service-origins.ts";
import { readSettings, type Settings } from "./settings.ts";

/** What Hono's context carries: the environment as it came, unparsed, and what is made of it for one request. */
export interface EdgeEnv {
  Bindings: Record<string, unknown>;
  Variables: RequestIdVariables & {
    settings: Settings;
    service: CaptionService;
    revision: ModelRevision;
    cache: CaptionCache;
    flights: Flights;
    record: RequestRecord;
    /** Of the problem that the request is answered with. */
    errorCode?: ErrorCode;
    /** Whose limit a request counts against; none before that is known. */
    tier?: Tier;
  };
}

/** W3C Trace Context, level 1; anything else is not passed on. */
function readTraceparent(header: string | undefined): string | undefined {
  return header !== undefined && /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(header)
    ? header
    : undefined;
}

/** Reads the settings and builds what the handlers behind it work with. */
export const wire = createMiddleware<EdgeEnv>(async (c, next) => {
  const settings = readSettings(c.env);
  const waitUntil = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
  const traceparent = readTraceparent(c.req.header("traceparent"));
  const service = new CaptionService({
    origins: new ServiceOrigins({ origins: settings.serviceOrigins, restSeconds: settings.originRestSeconds }),
    secret: settings.serviceSecret,
    timeoutMs: settings.upstreamTimeoutMs,
    traceHeaders: { "X-Request-Id": c.get("requestId"), ...(traceparent === undefined ? {} : { traceparent }) },
  });
  const kv = settings.captions;
  c.set("settings", settings);
  c.set("service", service);
  c.set("revision", new ModelRevision({ kv, service, refreshSeconds: settings.modelRefreshSeconds, waitUntil }));
  c.set("flights", { namespace: settings.flights, waitUntil });
  c.set(
    "cache",
    new CaptionCache({
      kv,
      edgeCache: caches.default,
      origin: new URL(c.req.url).origin,
      ttlSeconds: settings.cacheTtlSeconds,
      nearTtlSeconds: settings.nearCacheSeconds,
      waitUntil,
    }),
  );
  await next();
});
