import { createMiddleware } from "hono/factory";
import { captionCacheOf } from "./caption-cache.ts";
import { CaptionService } from "./caption-service.ts";
import { Deletions } from "./deletions.ts";
import type { EdgeEnv } from "./edge-env.ts";
import { ModelRevision } from "./model-revision.ts";
import { ServiceOrigins } from "./service-origins.ts";
import { readSettings } from "./settings.ts";

/** Reads the settings and builds what the handlers behind it work with. */
export const provideContext = createMiddleware<EdgeEnv>(async (c, next) => {
  c.set("startedAtMs", Date.now());
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
  c.set("deletions", new Deletions(settings.tombstones));
  c.set("cache", captionCacheOf(settings, waitUntil));
  await next();
});

/** W3C Trace Context, level 1; anything else is not passed on. */
function readTraceparent(header: string | undefined): string | undefined {
  return header !== undefined && /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(header)
    ? header
    : undefined;
}
