import * as z from "zod";
import { type CaptionOptions, captionQuery, captionResultSchema } from "../shared/contract.ts";
import { describeError, log } from "./log.ts";
import { parseJson } from "./parse-json.ts";

interface CaptionKey {
  id: string;
  revision: string;
  options: CaptionOptions;
}

export interface StoredCaption {
  /** A caption result as JSON, byte for byte as it is answered: its hash is the `ETag`. */
  body: string;
  storedAtMs: number;
}

export interface FoundCaption extends StoredCaption {
  layer: "cache-api" | "kv";
}

interface CaptionCacheParts {
  kv: KVNamespace;
  /** The data centre's cache. It may do nothing at all, on workers.dev for one. */
  edgeCache: Cache;
  /** The worker's own origin: the Cache API keys on addresses. */
  origin: string;
  ttlSeconds: number;
  waitUntil: (work: Promise<unknown>) => void;
}

const kvMetadataSchema = z.object({ storedAtMs: z.int() });
const storedAtHeader = "X-Stored-At-Ms";

/**
 * Results in two layers: Cache API near by, KV everywhere. The revision is part of the key, so an entry never goes
 * stale; it only expires. A layer that fails counts as one that holds nothing.
 */
export class CaptionCache {
  readonly #parts: CaptionCacheParts;

  constructor(parts: CaptionCacheParts) {
    this.#parts = parts;
  }

  async find(key: CaptionKey): Promise<FoundCaption | null> {
    const path = pathOf(key);
    const near = await readLayer("cache-api", () => this.#readEdgeCache(path));
    if (near !== null) return near;
    const far = await readLayer("kv", () => this.#readKv(path));
    if (far !== null) this.#parts.waitUntil(writeLayer("cache-api", () => this.#writeEdgeCache(path, far)));
    return far;
  }

  /** Hands a result to both layers, in the background: the caller need not wait for KV's central store. */
  store(key: CaptionKey, caption: StoredCaption): void {
    const path = pathOf(key);
    this.#parts.waitUntil(writeLayer("cache-api", () => this.#writeEdgeCache(path, caption)));
    this.#parts.waitUntil(writeLayer("kv", () => this.#writeKv(path, caption)));
  }

  async #readEdgeCache(path: string): Promise<StoredCaption | null> {
    const response = await this.#parts.edgeCache.match(this.#addressOf(path));
    if (response === undefined) return null;
    const storedAtMs = z.coerce.number().int().parse(response.headers.get(storedAtHeader));
    return { body: await response.text(), storedAtMs };
  }

  async #readKv(path: string): Promise<StoredCaption | null> {
    const { value, metadata } = await this.#parts.kv.getWithMetadata(path);
    return value === null ? null : { body: value, storedAtMs: kvMetadataSchema.parse(metadata).storedAtMs };
  }

  async #writeEdgeCache(path: string, { body, storedAtMs }: StoredCaption): Promise<void> {
    const secondsLeft = this.#parts.ttlSeconds - Math.floor((Date.now() - storedAtMs) / 1000);
    const headers = { "Cache-Control": `max-age=${secondsLeft}`, [storedAtHeader]: String(storedAtMs) };
    if (secondsLeft > 0) await this.#parts.edgeCache.put(this.#addressOf(path), new Response(body, { headers }));
  }

  /** KV takes one write a second for a key; a second uploader's is refused, and nothing is lost by it. */
  async #writeKv(path: string, { body, storedAtMs }: StoredCaption): Promise<void> {
    await this.#parts.kv.put(path, body, { expirationTtl: this.#parts.ttlSeconds, metadata: { storedAtMs } });
  }

  /** No public address, so nothing but this worker ever asks the data centre's cache for it. */
  #addressOf(path: string): string {
    return `${this.#parts.origin}/.stored/${path}`;
  }
}

function pathOf({ id, revision, options }: CaptionKey): string {
  return `caption/${revision}/${id}?${captionQuery(options)}`;
}

/** Reads a layer and checks what it held: a damaged entry is a miss, and the next store overwrites it. */
async function readLayer(
  layer: FoundCaption["layer"],
  read: () => Promise<StoredCaption | null>,
): Promise<FoundCaption | null> {
  try {
    const stored = await read();
    if (stored === null) return null;
    parseJson(stored.body, captionResultSchema);
    return { ...stored, layer };
  } catch (error) {
    log("warn", "cache layer unreadable", { layer, error: describeError(error) });
    return null;
  }
}

async function writeLayer(layer: FoundCaption["layer"], write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    log("warn", "cache layer not written", { layer, error: describeError(error) });
  }
}
