import * as z from "zod";
import { describeError, log } from "./log.ts";

export interface Stored {
  body: string;
  storedAtMs: number;
}

export type CacheLayer = "cache-api" | "kv";

/** An entry's path, and the photo that it is about. */
export interface EntryKey {
  path: string;
  subject: string;
}

export interface FoundEntry<T> extends Stored {
  value: T;
  layer: CacheLayer;
}

export interface LayeredStoreParts {
  kv: KVNamespace;
  /** The data centre's cache, which may do nothing at all, as on workers.dev. */
  edgeCache: Cache;
  /** Origin of the Cache API's keys, which are URLs. It must not depend on the host of a request, or a removal would miss entries. */
  origin: string;
  /** Lifetime of an entry in KV. */
  ttlSeconds: number;
  /** Longest lifetime of an entry in a data centre's cache. */
  nearTtlSeconds: number;
  waitUntil: (work: Promise<unknown>) => void;
}

const kvMetadataSchema = z.object({ storedAtMs: z.int() });
const storedAtHeader = "X-Stored-At-Ms";

/** Reads an entry's value from its text. Throws for a damaged one. */
type Parse<T> = (body: string) => T;

/**
 * Text in two layers: Cache API near by, KV everywhere. A layer that fails counts as empty, and a damaged entry as missing: the
 * next write replaces it.
 */
export class LayeredStore {
  readonly #parts: LayeredStoreParts;

  constructor(parts: LayeredStoreParts) {
    this.#parts = parts;
  }

  async read<T>({ path, subject }: EntryKey, parse: Parse<T>): Promise<FoundEntry<T> | null> {
    const near = await readLayer("cache-api", () => this.#readEdgeCache(path), parse);
    if (near !== null) return near;
    const far = await this.readFar(path, parse);
    if (far === null || (await this.#wasRemovedHere(subject, far))) return null;
    this.#parts.waitUntil(writeLayer("cache-api", () => this.#writeEdgeCache(path, far)));
    return far;
  }

  /** Reads from KV alone. */
  readFar<T>(path: string, parse: Parse<T>): Promise<FoundEntry<T> | null> {
    return readLayer("kv", () => this.#readKv(path), parse);
  }

  /** Reads up to 100 paths from KV in one operation; the near layer would need one per path. */
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

  /**
   * Writes entries by path to both layers in the background, since the caller need not wait for KV's central store. Deletes
   * them again unless they are still wanted after the write: a removal may have come meanwhile.
   */
  write(entries: ReadonlyMap<string, Stored>, { areWanted }: { areWanted: () => Promise<boolean> }): void {
    const writes = [...entries].flatMap(([path, entry]) => [
      writeLayer("cache-api", () => this.#writeEdgeCache(path, entry)),
      writeLayer("kv", () => this.#writeKv(path, entry)),
    ]);
    const check = async () => {
      await Promise.all(writes);
      if (!(await areWanted())) await this.#delete([...entries.keys()]);
    };
    this.#parts.waitUntil(check());
  }

  /** Writes an entry to the near layer only: another request writes it to KV, or it must not last. */
  writeNear({ path, subject }: EntryKey, entry: Stored): void {
    const write = async () => {
      if (!(await this.#wasRemovedHere(subject, entry))) await this.#writeEdgeCache(path, entry);
    };
    this.#parts.waitUntil(writeLayer("cache-api", write));
  }

  /**
   * Deletes entries about some subjects from KV and from this data centre's cache. Returns whether KV deleted every one. KV
   * may lag, so for `rememberedSeconds` entries that it stored before are ignored.
   */
  async remove(
    paths: readonly string[],
    { subjects, rememberedSeconds }: { subjects: readonly string[]; rememberedSeconds: number },
  ): Promise<boolean> {
    const now = { body: "", storedAtMs: Date.now() };
    const mark = (subject: string) => this.#putNear(removedPath(subject), now, rememberedSeconds);
    await Promise.all(subjects.map((subject) => writeLayer("cache-api", () => mark(subject))));
    return this.#delete(paths);
  }

  /** Deletes from KV first: a request that reads an entry there writes it to the near cache. */
  async #delete(paths: readonly string[]): Promise<boolean> {
    const { kv, edgeCache } = this.#parts;
    const far = await Promise.all(paths.map((path) => writeLayer("kv", () => kv.delete(path))));
    await Promise.all(paths.map((path) => writeLayer("cache-api", () => edgeCache.delete(this.#addressOf(path)))));
    return far.every((isDone) => isDone);
  }

  async #wasRemovedHere(subject: string, { storedAtMs }: Stored): Promise<boolean> {
    const removed = await readLayer("cache-api", () => this.#readEdgeCache(removedPath(subject)), String);
    return removed !== null && storedAtMs <= removed.storedAtMs;
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

  async #writeEdgeCache(path: string, entry: Stored): Promise<void> {
    const { ttlSeconds, nearTtlSeconds } = this.#parts;
    const secondsLeft = ttlSeconds - Math.floor((Date.now() - entry.storedAtMs) / 1000);
    if (secondsLeft > 0) await this.#putNear(path, entry, Math.min(secondsLeft, nearTtlSeconds));
  }

  async #putNear(path: string, { body, storedAtMs }: Stored, maxAge: number): Promise<void> {
    const headers = { "Cache-Control": `max-age=${maxAge}`, [storedAtHeader]: String(storedAtMs) };
    await this.#parts.edgeCache.put(this.#addressOf(path), new Response(body, { headers }));
  }

  /** Writes to KV, which accepts one write per second and key; losing a second, equal one does no harm. */
  async #writeKv(path: string, { body, storedAtMs }: Stored): Promise<void> {
    await this.#parts.kv.put(path, body, { expirationTtl: this.#parts.ttlSeconds, metadata: { storedAtMs } });
  }

  #addressOf(path: string): string {
    return `${this.#parts.origin}/${path}`;
  }
}

/** Path under which a data centre's cache remembers when a subject's entries were removed. */
function removedPath(subject: string): string {
  return `removed/${subject}`;
}

async function readLayer<T>(
  layer: CacheLayer,
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

async function writeLayer(layer: CacheLayer, write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    log("warn", "cache layer not written", { layer, error: describeError(error) });
    return false;
  }
}
