import * as z from "zod";
import { describeError, log } from "./log.ts";

export interface Stored {
  body: string;
  storedAtMs: number;
}

export type Layer = "cache-api" | "kv";

/** An entry's place, and the photo that it is about. */
export interface EntryPlace {
  path: string;
  subject: string;
}

export interface FoundEntry<T> extends Stored {
  value: T;
  layer: Layer;
}

export interface LayeredStoreParts {
  kv: KVNamespace;
  /** The data centre's cache. It may do nothing at all, on workers.dev for one. */
  edgeCache: Cache;
  /** The Cache API keys on addresses. The same whichever of its names the worker is called by, or a removal misses entries. */
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

  async read<T>({ path, subject }: EntryPlace, parse: Parse<T>): Promise<FoundEntry<T> | null> {
    const near = await readLayer("cache-api", () => this.#readEdgeCache(path), parse);
    if (near !== null) return near;
    const far = await this.readFar(path, parse);
    if (far === null || (await this.#wasRemovedHere(subject, far))) return null;
    this.#parts.waitUntil(writeLayer("cache-api", () => this.#writeEdgeCache(path, far)));
    return far;
  }

  /** What KV holds alone. */
  readFar<T>(path: string, parse: Parse<T>): Promise<FoundEntry<T> | null> {
    return readLayer("kv", () => this.#readKv(path), parse);
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

  /**
   * Hands entries by path to both layers, in the background: the caller need not wait for KV's central store. They are taken
   * out again unless `areWanted` when that is done: a removal may have come in between.
   */
  write(entries: ReadonlyMap<string, Stored>, { areWanted }: { areWanted: () => Promise<boolean> }): void {
    const writes = [...entries].flatMap(([path, entry]) => [
      writeLayer("cache-api", () => this.#writeEdgeCache(path, entry)),
      writeLayer("kv", () => this.#writeKv(path, entry)),
    ]);
    const check = async () => {
      await Promise.all(writes);
      if (!(await areWanted())) await this.#take([...entries.keys()]);
    };
    this.#parts.waitUntil(check());
  }

  /** For an entry that somebody else has written to KV, or that may not stay for long. */
  writeNear({ path, subject }: EntryPlace, entry: Stored): void {
    const write = async () => {
      if (!(await this.#wasRemovedHere(subject, entry))) await this.#writeEdgeCache(path, entry);
    };
    this.#parts.waitUntil(writeLayer("cache-api", write));
  }

  /**
   * Takes entries about some subjects out of KV and out of this data centre's cache, and tells whether KV took every one out.
   * KV may lag, so what was stored before is not taken over from there in the next `rememberedSeconds`.
   */
  async remove(
    paths: readonly string[],
    { subjects, rememberedSeconds }: { subjects: readonly string[]; rememberedSeconds: number },
  ): Promise<boolean> {
    const now = { body: "", storedAtMs: Date.now() };
    const mark = (subject: string) => this.#putNear(removedPath(subject), now, rememberedSeconds);
    await Promise.all(subjects.map((subject) => writeLayer("cache-api", () => mark(subject))));
    return this.#take(paths);
  }

  /** KV first: a request that has read an entry there puts it into the near cache. */
  async #take(paths: readonly string[]): Promise<boolean> {
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

  /** KV takes one write a second for a key; a second writer's is refused, and nothing is lost by it. */
  async #writeKv(path: string, { body, storedAtMs }: Stored): Promise<void> {
    await this.#parts.kv.put(path, body, { expirationTtl: this.#parts.ttlSeconds, metadata: { storedAtMs } });
  }

  #addressOf(path: string): string {
    return `${this.#parts.origin}/${path}`;
  }
}

/** Where a data centre's cache keeps when a subject's entries were removed. */
function removedPath(subject: string): string {
  return `removed/${subject}`;
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
