import * as z from "zod";
import { describeError, log } from "./log.ts";

export interface Stored {
  body: string;
  storedAtMs: number;
}

export type Layer = "cache-api" | "kv";

export interface FoundEntry<T> extends Stored {
  value: T;
  layer: Layer;
}

export interface LayeredStoreParts {
  kv: KVNamespace;
  /** The data centre's cache. It may do nothing at all, on workers.dev for one. */
  edgeCache: Cache;
  /** The worker's own origin: the Cache API keys on addresses. */
  origin: string;
  /** How long an entry lives in KV, and at most how long in a data centre's cache. */
  ttlSeconds: number;
  nearTtlSeconds: number;
  waitUntil: (work: Promise<unknown>) => void;
}

const kvMetadataSchema = z.object({ storedAtMs: z.int() });
const storedAtHeader = "X-Stored-At-Ms";

/** What an entry holds, read from its text. Throws for a damaged one. */
type Parse<T> = (body: string) => T;

/**
 * Text in two layers: Cache API near by, KV everywhere. A layer that fails counts as one that holds nothing, and so does a
 * damaged entry: the next write replaces it.
 */
export class LayeredStore {
  readonly #parts: LayeredStoreParts;

  constructor(parts: LayeredStoreParts) {
    this.#parts = parts;
  }

  async read<T>(path: string, parse: Parse<T>): Promise<FoundEntry<T> | null> {
    const near = await readLayer("cache-api", () => this.#readEdgeCache(path), parse);
    if (near !== null) return near;
    const far = await readLayer("kv", () => this.#readKv(path), parse);
    if (far !== null) this.#parts.waitUntil(writeLayer("cache-api", () => this.#writeEdgeCache(path, far)));
    return far;
  }

  /** What KV holds of up to 100 paths, in one operation. The near layer would take one for each. */
  async readMany<T>(paths: readonly string[], parse: Parse<T>): Promise<Map<string, T>> {
    const found = new Map<string, T>();
    if (paths.length === 0) return found;
    try {
      for (const [path, body] of await this.#parts.kv.get([...paths])) {
        const value = body === null ? null : parseOrNull(path, () => parse(body));
        if (value !== null) found.set(path, value);
      }
    } catch (error) {
      log("warn", "cache layer unreadable", { layer: "kv", error: describeError(error) });
    }
    return found;
  }

  /** Hands an entry to both layers, in the background: the caller need not wait for KV's central store. */
  write(path: string, entry: Stored): void {
    this.writeNear(path, entry);
    this.#parts.waitUntil(writeLayer("kv", () => this.#writeKv(path, entry)));
  }

  /** For an entry that somebody else has written to KV. */
  writeNear(path: string, entry: Stored): void {
    this.#parts.waitUntil(writeLayer("cache-api", () => this.#writeEdgeCache(path, entry)));
  }

  /** Takes entries out of KV and out of this data centre's cache, and tells whether KV took every one out. */
  async remove(paths: readonly string[]): Promise<boolean> {
    const { kv, edgeCache } = this.#parts;
    const [far] = await Promise.all([
      Promise.all(paths.map((path) => writeLayer("kv", () => kv.delete(path)))),
      Promise.all(paths.map((path) => writeLayer("cache-api", () => edgeCache.delete(this.#addressOf(path))))),
    ]);
    return far.every((isDone) => isDone);
  }

  async #readEdgeCache(path: string): Promise<Stored | null> {
    const response = await this.#parts.edgeCache.match(this.#addressOf(path));
    if (response === undefined) return null;
    const storedAtMs = z.coerce.number().int().parse(response.headers.get(storedAtHeader));
    return { body: await response.text(), storedAtMs };
  }

  async #readKv(path: string): Promise<Stored | null> {
    const { value, metadata } = await this.#parts.kv.getWithMetadata(path);
    return value === null ? null : { body: value, storedAtMs: kvMetadataSchema.parse(metadata).storedAtMs };
  }

  async #writeEdgeCache(path: string, { body, storedAtMs }: Stored): Promise<void> {
    const { ttlSeconds, nearTtlSeconds, edgeCache } = this.#parts;
    const secondsLeft = ttlSeconds - Math.floor((Date.now() - storedAtMs) / 1000);
    if (secondsLeft <= 0) return;
    const maxAge = Math.min(secondsLeft, nearTtlSeconds);
    const headers = { "Cache-Control": `max-age=${maxAge}`, [storedAtHeader]: String(storedAtMs) };
    await edgeCache.put(this.#addressOf(path), new Response(body, { headers }));
  }

  /** KV takes one write a second for a key; a second writer's is refused, and nothing is lost by it. */
  async #writeKv(path: string, { body, storedAtMs }: Stored): Promise<void> {
    await this.#parts.kv.put(path, body, { expirationTtl: this.#parts.ttlSeconds, metadata: { storedAtMs } });
  }

  /** No public address, so nothing but this worker ever asks the data centre's cache for it. */
  #addressOf(path: string): string {
    return `${this.#parts.origin}/.stored/${path}`;
  }
}

async function readLayer<T>(
  layer: Layer,
  read: () => Promise<Stored | null>,
  parse: Parse<T>,
): Promise<FoundEntry<T> | null> {
  try {
    const stored = await read();
    return stored && { ...stored, value: parse(stored.body), layer };
  } catch (error) {
    log("warn", "cache layer unreadable", { layer, error: describeError(error) });
    return null;
  }
}

function parseOrNull<T>(path: string, parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    log("warn", "cache entry damaged", { path, error: describeError(error) });
    return null;
  }
}

async function writeLayer(layer: Layer, write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    log("warn", "cache layer not written", { layer, error: describeError(error) });
    return false;
  }
}
