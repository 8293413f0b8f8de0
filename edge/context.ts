import { createMiddleware } from "hono/factory";
import type { RequestIdVariables } from "hono/request-id";
import type { ErrorCode } from "../shared/errors.ts";
import { type CaptionCache, captionCacheOf } from "./caption-cache.ts";
import { Deletions } from "./deletions.ts";
import type { Flights } from "./join-flight.ts";
import { ModelRevision } from "./model-revision.ts";
import { type RequestTrace, traceOf } from "./request-trace.ts";
import { ServiceClient } from "./service-client.ts";
import { ServiceOrigins } from "./service-origins.ts";
import { readSettings, type Settings, type Tier } from "./settings.ts";

/** Measured phases of a request. */
export type RequestPhase = "upload" | "cache" | "service";

/** Measurements that handlers fill in and `recordRequest` writes at the request's end. */
interface RequestRecord {
  phaseMs: Partial<Record<RequestPhase, number>>;
  /** Size of the photo. */
  bytes: number;
}

/** What captions are found and made with. */
export interface CaptionParts {
  settings: Settings;
  service: ServiceClient;
  revision: ModelRevision;
  cache: CaptionCache;
  flights: Flights;
  deletions: Deletions;
}

/** Hono's context: the environment unparsed, and what one request's handlers work with. */
export interface EdgeEnv {
  Bindings: Record<string, unknown>;
  Variables: RequestIdVariables &
    CaptionParts & {
      /** Time before the body was read. A deletion after it wins over what this request would store. */
      startedAtMs: number;
      record: RequestRecord;
      /** Undefined where there is none. */
      trace: RequestTrace | undefined;
      /** Methods of the route; undefined where there is no route. */
      methods?: readonly string[];
      /** Code of the problem document in the answer. */
      errorCode?: ErrorCode;
      /** Tier whose limit the request counts against; undefined until `access` knows it. */
      tier?: Tier;
      /** A key's id or a network, whose requests are counted together. Set once `access` has let the request in. */
      caller: string;
    };
}

/** Reads the settings and builds the request's context. */
export const provideContext = createMiddleware<EdgeEnv>(async (c, next) => {
  c.set("startedAtMs", Date.now());
  const settings = readSettings(c.env);
  const trace = traceOf(c.req.header("traceparent"), settings.traces);
  const parts = captionParts(settings, {
    waitUntil: (work) => c.executionCtx.waitUntil(work),
    traceHeaders: { "X-Request-Id": c.get("requestId"), ...(trace && { traceparent: trace.traceparent }) },
  });
  c.set("trace", trace);
  c.set("settings", settings);
  c.set("service", parts.service);
  c.set("revision", parts.revision);
  c.set("flights", parts.flights);
  c.set("deletions", parts.deletions);
  c.set("cache", parts.cache);
  await next();
});

interface PartsOptions {
  waitUntil: (work: Promise<unknown>) => void;
  /** Headers of each request to the service. */
  traceHeaders: Record<string, string>;
}

/** Builds what captions are made with. */
export function captionParts(settings: Settings, { waitUntil, traceHeaders }: PartsOptions): CaptionParts {
  const service = new ServiceClient({
    origins: new ServiceOrigins({ origins: settings.serviceOrigins, restSeconds: settings.originRestSeconds }),
    secret: settings.serviceSecret,
    timeoutMs: settings.upstreamTimeoutMs,
    traceHeaders,
  });
  const kv = settings.captions;
  return {
    settings,
    service,
    revision: new ModelRevision({ kv, service, refreshSeconds: settings.modelRefreshSeconds, waitUntil }),
    flights: { namespace: settings.flights, waitUntil },
    deletions: new Deletions(settings.tombstones),
    cache: captionCacheOf(settings, waitUntil),
  };
}
