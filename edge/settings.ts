import * as z from "zod";
import { defaultMaxAvifPixels, defaultMaxBytes, defaultMaxPixels } from "../shared/contract.ts";
import { parseOrigin } from "../shared/origin.ts";
import { parseSourceHosts } from "../shared/source-address.ts";
import type { CaptionFlight } from "./caption-flight.ts";
import type { Tombstone } from "./deletions.ts";
import { traceSettings, traceShape } from "./request-trace.ts";

const mebibyte = 1024 * 1024;
const daySeconds = 24 * 60 * 60;
const loopbackHosts = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Façades of other services: IBM's MAX Image Caption Generator, Hugging Face's image-to-text, OpenAI's chat, Ollama. */
export const facadeNames = ["max", "huggingface", "openai", "ollama"] as const;

export type FacadeName = (typeof facadeNames)[number];

/** Makes the schema of a binding, which is recognized by one of its methods. */
function bindingSchema<T>(method: string, name: string) {
  const hasMethod = (value: unknown) => typeof value === "object" && value !== null && method in value;
  return z.custom<T>(hasMethod, `expected a binding of ${name}`);
}

const kvSchema = bindingSchema<KVNamespace>("getWithMetadata", "a KV namespace");
const rateLimitSchema = bindingSchema<RateLimit>("limit", "a rate limit").optional();

const bucketSchema = bindingSchema<R2Bucket>("list", "an R2 bucket");

const datasetSchema = bindingSchema<AnalyticsEngineDataset>("writeDataPoint", "an Analytics Engine dataset").optional();

const assetsSchema = bindingSchema<Fetcher>("fetch", "static assets").optional();

/** A bucket that jobs read is bound under this and its name in capitals, with `_` for `-`: JOBS_BUCKET_HOLIDAY_PHOTOS. */
const bucketPrefix = "JOBS_BUCKET_";

/** Bindings and settings of jobs, which are off unless database, queue and Workflow are there. */
const jobsSchema = z.object({
  /** Jobs and their photos, a row each. About five rows are written per photo, which is billed. */
  JOBS_DB: bindingSchema<D1Database>("prepare", "a D1 database"),
  /** Messages about ten photos each. Three operations are billed per message. */
  JOBS_QUEUE: bindingSchema<Queue<unknown>>("sendBatch", "a queue"),
  /** Keys, of which each that has jobs under way is looked up once a minute, which is billed. */
  KEYS: kvSchema,
  /** Lists buckets. A step is billed per thousand objects. */
  JOBS_WORKFLOW: bindingSchema<Workflow<unknown>>("create", "the Workflow JobWorkflow"),
  /**
   * Seconds without any progress of a job after which its queued photos are sent again. Less than the time that ten photos
   * take sends photos that are under way, which costs messages and captions none twice.
   */
  JOBS_RESEND_SECONDS: z.coerce.number().int().min(1).max(3600).default(60),
});

const policySchema = z
  .string()
  .regex(/^[1-9]\d*\/(10|60)$/, "expected requests and seconds (10 or 60), such as 100/60")
  .transform((text) => {
    const [limit = 0, periodSeconds = 0] = text.split("/").map(Number);
    return { limit, periodSeconds };
  });

const originSchema = z
  .url({ protocol: /^https?$/, error: "expected an address such as https://captions.example.com", abort: true })
  .refine(isPrivateOnTheWay, "expected https (http only for localhost, 127.0.0.1 and [::1])")
  .refine((address) => parseOrigin(address) !== undefined, "expected an origin: no path, query, user name or password")
  .transform((address) => new URL(address).origin);

const corsOriginsSchema = z
  .string()
  .default("")
  .transform((text) => parseList(text).map((origin) => parseOrigin(origin)?.origin ?? origin)) // an app's own scheme has no origin
  .refine((origins) => origins.every((origin) => origin === "*" || /^[a-z][a-z0-9+.-]*:\/\/[^/]+$/.test(origin)), {
    error: "expected origins such as https://photos.example.com, with commas between, or *",
  });

const facadesSchema = z
  .string()
  .default("")
  .transform(parseList)
  .pipe(z.array(z.enum(facadeNames)));

/** Every variable, secret and binding that the worker reads; `wrangler.toml` says where each is set. */
const environmentSchema = z.object({
  /** Results and the last known model revision. A read costs a few milliseconds, a write is billed. */
  CAPTIONS: kvSchema,
  /** Joins requests that want the same caption at the same time. A call is billed per cache miss. */
  FLIGHTS: bindingSchema<DurableObjectNamespace<CaptionFlight>>("getByName", "the Durable Object CaptionFlight"),
  /** Remembers deletions for ten minutes. Two or four calls are billed per cache miss. */
  TOMBSTONES: bindingSchema<DurableObjectNamespace<Tombstone>>("getByName", "the Durable Object PhotoTombstone"),
  /**
   * Origins of the captioning services, comma-separated, in the order in which they are asked. Photos are sent there, so they
   * must be https unless on this machine.
   */
  SERVICE_ORIGINS: z
    .string("expected an address such as https://captions.example.com")
    .transform(parseList)
    .pipe(z.array(originSchema).min(1, "expected at least one address")),
  /** Seconds for which a service that failed three requests in a row is left alone. Longer means fewer failed tries and a later recovery. */
  ORIGIN_REST_SECONDS: z.coerce.number().positive().max(3600).default(10),
  /** Signs requests to the service; one of its `SERVICE_SECRETS`. */
  SERVICE_SECRET: z.string("expected a secret that the service knows too").min(16),
  /**
   * Who may caption and look up: `public` means anyone, `keys` means holders of an API key, and `both` means anyone, with keys'
   * own limits for their holders. Deleting always requires a key with the scope admin.
   */
  ACCESS: z.enum(["public", "keys", "both"]).default("public"),
  /** API keys by their hash. Read for each request with a key, and cached in the data centre for a minute. */
  KEYS: kvSchema,
  /** Rate limits, one per tier; a tier without a binding is unlimited. */
  PUBLIC_LIMIT: rateLimitSchema,
  STANDARD_LIMIT: rateLimitSchema,
  HIGH_LIMIT: rateLimitSchema,
  /** Rate limit of all callers without a key together, per data centre; without it they are only limited one by one. */
  OVERALL_LIMIT: rateLimitSchema,
  /** Limits of those bindings, `requests/seconds`, which the bindings themselves do not reveal. Only sent to callers. */
  PUBLIC_LIMIT_POLICY: policySchema.default({ limit: 60, periodSeconds: 60 }),
  STANDARD_LIMIT_POLICY: policySchema.default({ limit: 600, periodSeconds: 60 }),
  HIGH_LIMIT_POLICY: policySchema.default({ limit: 6000, periodSeconds: 60 }),
  OVERALL_LIMIT_POLICY: policySchema.default({ limit: 600, periodSeconds: 60 }),
  /** Comma-separated origins whose pages may call from a browser, or `*`; by default only our own. */
  CORS_ORIGINS: corsOriginsSchema,
  /** Façades to serve, comma-separated: `max`, `huggingface`, `openai`, `ollama`; none by default. */
  FACADES: facadesSchema,
  /**
   * Bytes of one image. Hashing takes CPU time: 20 MiB need more than the 10 ms of Cloudflare's free plan. The uploads of an
   * isolate share 64 MiB, of which one caller gets at most two thirds.
   */
  MAX_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .max(32 * mebibyte)
    .default(defaultMaxBytes),
  /** Milliseconds for sending a photo. What has arrived of it stays in the isolate's memory for that long. */
  BODY_TIMEOUT_MS: z.coerce.number().int().min(100).max(120_000).default(15_000),
  /**
   * Bytes per second that must arrive of a body or a fetched photo, averaged over five seconds, or over a third of its time
   * limit if that is less. A higher rate ends stalled bodies sooner, and cuts off people on a bad line; 0 waits for the time
   * limit.
   */
  MIN_BYTES_PER_SECOND: z.coerce.number().int().min(0).max(mebibyte).default(4096),
  /**
   * Hosts that photos are fetched from for `{"url": …}`: `any` public one, `none`, or a list such as
   * `photos.example.com, *.example.org`. A host named without an asterisk may also be a private one. Any
   * caller can make this worker send requests to any allowed host.
   */
  SOURCE_HOSTS: z.string().default("any").transform(parseSourceHosts),
  /** Milliseconds for fetching such a photo. What has arrived of it stays in the isolate's memory for that long. */
  SOURCE_TIMEOUT_MS: z.coerce.number().int().min(100).max(60_000).default(10_000),
  /** Pixels of one image by its header. Decoding costs the service time and memory per pixel. */
  MAX_PIXELS: z.coerce.number().int().positive().default(defaultMaxPixels),
  /** Pixels of one AVIF or HEIC, whose decoding costs the service several times as much time and memory as other formats. */
  MAX_AVIF_PIXELS: z.coerce.number().int().positive().default(defaultMaxAvifPixels),
  /** Whether HEIC photos are accepted. The service must accept them as well, which costs it a second per photo. */
  ALLOW_HEIC: z.enum(["true", "false"]).default("false"),
  /** Seconds for which a caption is stored. Longer means fewer model runs and more KV storage; KV's minimum is 60. */
  CACHE_TTL_SECONDS: z.coerce
    .number()
    .int()
    .min(60)
    .default(30 * daySeconds),
  /**
   * Seconds, of those, for which a caption stays in a data centre's cache, which a deletion elsewhere does not reach. Longer
   * means fewer reads of KV.
   */
  NEAR_CACHE_SECONDS: z.coerce.number().int().positive().default(3600),
  /** Seconds after which the model's revision is asked for again; until then an isolate may serve the previous one. */
  MODEL_REFRESH_SECONDS: z.coerce.number().int().positive().default(60),
  /** Milliseconds for one caption, including all attempts and waiting for other requests. Below the 30 s that Cloudflare grants after a client has left. */
  UPSTREAM_TIMEOUT_MS: z.coerce.number().int().min(100).max(29_000).default(25_000),
  ...traceShape,
});

export type Settings = ReturnType<typeof readSettings>;

/** A caller's tier: that of its key, or `public` without one. */
export type Tier = keyof Settings["tiers"];

/** Reads the binding of Analytics Engine's dataset, if there is one. Separate, since requests are recorded even when other settings are bad. */
export function readAnalytics({ REQUESTS }: Record<string, unknown>): AnalyticsEngineDataset | undefined {
  return datasetSchema.parse(REQUESTS);
}

/** Reads the binding of the page's files, if there is one. Separate, since they are served even when other settings are bad. */
export function readAssets({ ASSETS }: Record<string, unknown>): Fetcher | undefined {
  return assetsSchema.parse(ASSETS);
}

/** Reads the CORS origins. Separate, since browsers must be able to read answers about bad settings too. */
export function readCorsOrigins({ CORS_ORIGINS }: Record<string, unknown>): readonly string[] {
  return corsOriginsSchema.safeParse(CORS_ORIGINS).data ?? [];
}

/** Reads the façades. Separate, since routes exist even when other settings are bad. */
export function readFacades({ FACADES }: Record<string, unknown>): readonly FacadeName[] {
  return facadesSchema.safeParse(FACADES).data ?? [];
}

export interface JobsSettings {
  db: D1Database;
  queue: Queue<unknown>;
  workflow: Workflow<unknown>;
  keys: KVNamespace;
  /** By the names that callers use. */
  buckets: ReadonlyMap<string, R2Bucket>;
  resendSeconds: number;
}

/** Whether jobs are on: whether their bindings are there. */
export function hasJobs(environment: unknown): boolean {
  const names: (keyof z.input<typeof jobsSchema>)[] = ["JOBS_DB", "JOBS_QUEUE", "JOBS_WORKFLOW"];
  return typeof environment === "object" && environment !== null && names.every((name) => name in environment);
}

/** Parses what jobs need. Throws an error that names a bad setting, for the log and not for the caller. */
export function readJobs(environment: unknown): JobsSettings {
  const parsed = jobsSchema.safeParse(environment);
  if (!parsed.success) throw new Error(`bad settings: ${z.prettifyError(parsed.error)}`);
  const { data } = parsed;
  return {
    db: data.JOBS_DB,
    queue: data.JOBS_QUEUE,
    workflow: data.JOBS_WORKFLOW,
    keys: data.KEYS,
    buckets: bucketsIn(Object(environment)),
    resendSeconds: data.JOBS_RESEND_SECONDS,
  };
}

function bucketsIn(environment: Record<string, unknown>): Map<string, R2Bucket> {
  const names = Object.keys(environment).filter((name) => name.startsWith(bucketPrefix));
  const nameOf = (binding: string) => binding.slice(bucketPrefix.length).toLowerCase().replaceAll("_", "-");
  return new Map(names.map((name) => [nameOf(name), bucketSchema.parse(environment[name])]));
}

/** Parses the environment. Throws an error that names a bad setting, for the log and not for the caller. */
export function readSettings(environment: unknown) {
  const parsed = environmentSchema.safeParse(environment);
  if (!parsed.success) throw new Error(`bad settings: ${z.prettifyError(parsed.error)}`);
  const { data } = parsed;
  return {
    captions: data.CAPTIONS,
    flights: data.FLIGHTS,
    tombstones: data.TOMBSTONES,
    serviceOrigins: data.SERVICE_ORIGINS,
    originRestSeconds: data.ORIGIN_REST_SECONDS,
    serviceSecret: data.SERVICE_SECRET,
    access: data.ACCESS,
    keys: data.KEYS,
    tiers: {
      public: { limiter: data.PUBLIC_LIMIT, ...data.PUBLIC_LIMIT_POLICY },
      standard: { limiter: data.STANDARD_LIMIT, ...data.STANDARD_LIMIT_POLICY },
      high: { limiter: data.HIGH_LIMIT, ...data.HIGH_LIMIT_POLICY },
    },
    overall: { limiter: data.OVERALL_LIMIT, ...data.OVERALL_LIMIT_POLICY },
    maxBytes: data.MAX_BYTES,
    bodyTimeoutMs: data.BODY_TIMEOUT_MS,
    minBytesPerSecond: data.MIN_BYTES_PER_SECOND,
    sourceHosts: data.SOURCE_HOSTS,
    sourceTimeoutMs: data.SOURCE_TIMEOUT_MS,
    maxPixels: data.MAX_PIXELS,
    maxAvifPixels: data.MAX_AVIF_PIXELS,
    allowHeic: data.ALLOW_HEIC === "true",
    cacheTtlSeconds: data.CACHE_TTL_SECONDS,
    nearCacheSeconds: data.NEAR_CACHE_SECONDS,
    modelRefreshSeconds: data.MODEL_REFRESH_SECONDS,
    upstreamTimeoutMs: data.UPSTREAM_TIMEOUT_MS,
    /** Undefined: there are none. */
    traces: traceSettings(data),
  };
}

/** Says of variables that somebody wants to set what is wrong with the first bad one; undefined where all are fine. */
export function findBadVariable(variables: Record<string, string>): string | undefined {
  const schemas = new Map<string, z.ZodType>(
    Object.entries({ ...environmentSchema.shape, JOBS_RESEND_SECONDS: jobsSchema.shape.JOBS_RESEND_SECONDS }),
  );
  for (const [name, value] of Object.entries(variables)) {
    const schema = schemas.get(name);
    if (schema === undefined) return `${name}: the edge has no such setting`;
    const [issue] = schema.safeParse(value).error?.issues ?? [];
    if (issue !== undefined) return `${name}: ${issue.message}`;
  }
  return undefined;
}

function parseList(text: string): string[] {
  return text.split(",").flatMap((item) => item.trim() || []);
}

function isPrivateOnTheWay(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === "https:" || loopbackHosts.has(hostname);
}
