import type { RequestIdVariables } from "hono/request-id";
import type { KeyTier } from "../shared/api-key.ts";
import type { ErrorCode } from "../shared/errors.ts";
import type { CaptionCache } from "./caption-cache.ts";
import type { CaptionService } from "./caption-service.ts";
import type { Deletions } from "./deletions.ts";
import type { Flights } from "./join-flight.ts";
import type { ModelRevision } from "./model-revision.ts";
import type { Settings } from "./settings.ts";

export type Tier = "public" | KeyTier;

/** What is measured of a request. */
export type Phase = "upload" | "cache" | "service";

/** What a request leaves behind: filled in by whoever knows, written once at its end. */
interface RequestRecord {
  phaseMs: Partial<Record<Phase, number>>;
  /** Of the photo. */
  bytes: number;
}

/** What Hono's context carries: the environment as it came, unparsed, and what is made of it for one request. */
export interface EdgeEnv {
  Bindings: Record<string, unknown>;
  Variables: RequestIdVariables & {
    settings: Settings;
    /** Before its body was read: what it stores must give way to a deletion since. */
    startedAtMs: number;
    service: CaptionService;
    revision: ModelRevision;
    cache: CaptionCache;
    flights: Flights;
    deletions: Deletions;
    record: RequestRecord;
    /** That the route takes; none where there is no route. */
    methods?: readonly string[];
    /** Of the problem that the request is answered with. */
    errorCode?: ErrorCode;
    /** Whose limit a request counts against; none before that is known. */
    tier?: Tier;
    /** Whose requests are counted together: a key's id, or a network. Known once `access` has let a request in. */
    caller: string;
  };
}
