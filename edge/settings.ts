import * as z from "zod";
import { defaultMaxBytes, defaultMaxPixels } from "../shared/contract.ts";
import type { SourceHosts } from "./source-address.ts";

const mebibyte = 1024 * 1024;
const daySeconds = 24 * 60 * 60;
const loopbackHosts = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Every variable, secret and binding that the worker reads; `wrangler.toml` says where each is set. */
const environmentSchema = z.object({
  /** Results and the last known model revision. A read costs a few milliseconds, a write is billed. */
  CAPTIONS: z.custom<KVNamespace>(
    (value) => typeof value === "object" && value !== null && "getWithMetadata" in value,
    "expected a KV namespace binding",
  ),
  /** Where the captioning service listens. Photos travel there, hence https unless it is this machine. */
  SERVICE_ORIGIN: z
    .url({ protocol: /^https?$/, error: "expected an address such as https://captions.example.com", abort: true })
    .refine(isPrivateOnTheWay, "expected https (http only for localhost, 127.0.0.1 and [::1])")
    .refine(isOrigin, "expected an origin: no path, query, user name or password")
    .transform((address) => new URL(address).origin),
  /** Signs what goes to the service; one of its `SERVICE_SECRETS`. */
  SERVICE_SECRET: z.string("expected a secret that the service knows too").min(16),
  /**
   * Bytes of one image. Hashing takes CPU time, for 20 MiB more than the 10 ms of Cloudflare's free plan; and the
   * uploads of an isolate share 64 MiB.
   */
  MAX_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .max(32 * mebibyte)
    .default(defaultMaxBytes),
  /** Milliseconds for sending a photo. An upload holds its room in the isolate's memory that long, sent or not. */
  BODY_TIMEOUT_MS: z.coerce.number().int().min(100).max(120_000).default(15_000),
  /**
   * Hosts that photos are fetched from for `{"url": …}`: `any` public one, `none`, or a list such as
   * `photos.example.com, *.example.org`. A host named without an asterisk may also be a private one. Whoever may call
   * can make this worker ask any host that is let in.
   */
  SOURCE_HOSTS: z.string().default("any").transform(parseHosts),
  /** Milliseconds for fetching such a photo. It holds its room in the isolate's memory that long. */
  SOURCE_TIMEOUT_MS: z.coerce.number().int().min(100).max(60_000).default(10_000),
  /** Pixels of one image by its header. Decoding takes the service time and memory by the pixel. */
  MAX_PIXELS: z.coerce.number().int().positive().default(defaultMaxPixels),
  /** Seconds a caption is kept. Longer means fewer model runs and more KV storage; KV's least is 60. */
  CACHE_TTL_SECONDS: z.coerce
    .number()
    .int()
    .min(60)
    .default(30 * daySeconds),
  /**
   * Seconds a caption stays, of those, in the cache of a data centre, which a deletion elsewhere does not reach. Longer
   * means fewer reads of KV.
   */
  NEAR_CACHE_SECONDS: z.coerce.number().int().positive().default(3600),
  /** Seconds after which the model's revision is asked for again; until then an isolate may serve the one before. */
  MODEL_REFRESH_SECONDS: z.coerce.number().int().positive().default(60),
  /** Milliseconds the service has for one photo. Below the 30 s that Cloudflare grants once a client has left. */
  UPSTREAM_TIMEOUT_MS: z.coerce.number().int().min(100).max(29_000).default(25_000),
});

export type Settings = ReturnType<typeof readSettings>;

/** Parses the environment. A bad value throws a sentence naming the setting, for the log and not for the caller. */
export function readSettings(environment: unknown) {
  const parsed = environmentSchema.safeParse(environment);
  if (!parsed.success) throw new Error(`bad settings: ${z.prettifyError(parsed.error)}`);
  const { data } = parsed;
  return {
    captions: data.CAPTIONS,
    serviceOrigin: data.SERVICE_ORIGIN,
    serviceSecret: data.SERVICE_SECRET,
    maxBytes: data.MAX_BYTES,
    bodyTimeoutMs: data.BODY_TIMEOUT_MS,
    sourceHosts: data.SOURCE_HOSTS,
    sourceTimeoutMs: data.SOURCE_TIMEOUT_MS,
    maxPixels: data.MAX_PIXELS,
    cacheTtlSeconds: data.CACHE_TTL_SECONDS,
    nearCacheSeconds: data.NEAR_CACHE_SECONDS,
    modelRefreshSeconds: data.MODEL_REFRESH_SECONDS,
    upstreamTimeoutMs: data.UPSTREAM_TIMEOUT_MS,
  };
}

function parseHosts(text: string): SourceHosts {
  if (text === "any" || text === "none") return text;
  return parseList(text).map((host) => host.toLowerCase());
}

function parseList(text: string): string[] {
  return text.split(",").flatMap((item) => item.trim() || []);
}

function isPrivateOnTheWay(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === "https:" || loopbackHosts.has(hostname);
}

function isOrigin(address: string): boolean {
  const url = new URL(address);
  return url.href === `${url.origin}/`;
}
