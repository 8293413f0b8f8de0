import * as z from "zod";
import { allSearches, captionQuery, type SearchOptions } from "../shared/caption-options.ts";
import { type CaptionResult, captionResultSchema, contentIdSchema, type PhotoId } from "../shared/contract.ts";
import type { ByteId, PhotoIds } from "../shared/photo-id.ts";
import {
  type CacheLayer,
  type EntryKey,
  type FoundEntry,
  LayeredStore,
  type LayeredStoreParts,
  type Stored,
} from "./layered-store.ts";

/** A caption with the JSON that is stored of it, whose hash is the `ETag`. */
export interface Caption extends Stored {
  /** Result for the file that was captioned: `id` and `image.bytes` are that file's. */
  result: CaptionResult;
  /** Cache layer that held it, or how it was made just now: for this request, or for another one that this one waited for. */
  from: CacheLayer | "service" | "service, not stored" | "another request";
}

interface CaptionKey {
  /** Content id, or byte id of a photo that has none. */
  photoId: PhotoId;
  revision: string;
  options: SearchOptions;
}

/** Entry for a file by its byte id: where its caption is stored, and the file's own size. */
const fileSchema = z.object({ contentId: contentIdSchema, bytes: z.int().positive() });

type KnownFile = z.infer<typeof fileSchema>;

interface PhotoFile extends PhotoIds {
  bytes: Uint8Array;
}

/** Settings of the cache; `edge/settings.ts` describes them. */
interface CacheSettings {
  captions: KVNamespace;
  tombstones: Pick<DurableObjectNamespace, "idFromName">;
  cacheTtlSeconds: number;
  nearCacheSeconds: number;
}

/** Time for which this data centre ignores what KV stored before a deletion: KV's lag, with room to spare. */
const removalRememberedSeconds = 600;

interface StoreOptions {
  /** Called after the write: a deletion may have come meanwhile. */
  areWanted: () => Promise<boolean>;
}

/** Returns the id that a photo's captions are stored under. */
export function cacheIdOf({ id, contentId }: PhotoIds): PhotoId {
  return contentId ?? id;
}

/**
 * Captions by photo, revision and options. Entries are never stale; they only expire. They are stored under the content id,
 * which all files with the same content share; a small entry per file leads there from its byte id.
 */
export class CaptionCache {
  readonly #store: LayeredStore;

  constructor(parts: LayeredStoreParts) {
    this.#store = new LayeredStore(parts);
  }

  async find(key: CaptionKey): Promise<Caption | null> {
    const found = await this.#store.read(captionKey(key), parseResult);
    return found && { body: found.body, storedAtMs: found.storedAtMs, result: found.value, from: found.layer };
  }

  async findFile(id: ByteId): Promise<KnownFile | null> {
    return (await this.#store.read({ path: filePath(id), subject: id }, parseFile))?.value ?? null;
  }

  findFileInKv(id: ByteId): Promise<FoundEntry<KnownFile> | null> {
    return this.#store.readFar(filePath(id), parseFile);
  }

  /** Stores a caption and, for a photo with a content id, the entry for its file. */
  store(key: CaptionKey, caption: Stored, { photo, ...options }: StoreOptions & { photo: PhotoFile }): void {
    this.#store.write(new Map([[captionPath(key), caption], ...fileEntries(photo)]), options);
  }

  /** Stores a caption in this data centre only: another request has stored it in KV, or it must not last. */
  storeNear(key: CaptionKey, caption: Stored): void {
    this.#store.writeNear(captionKey(key), caption);
  }

  storeFile(photo: PhotoFile, options: StoreOptions): void {
    this.#store.write(new Map(fileEntries(photo)), options);
  }

  /** Finds the stored results of many photos. Returns them by the ids that were asked for. */
  async findMany(
    ids: readonly PhotoId[],
    { revision, options }: Omit<CaptionKey, "photoId">,
  ): Promise<Map<PhotoId, CaptionResult>> {
    const files = await this.#store.readMany(unique(ids.filter(isByteId).map(filePath)), parseFile);
    const pathOf = (id: PhotoId) =>
      captionPath({ photoId: files.get(filePath(id))?.contentId ?? id, revision, options });
    const results = await this.#store.readMany(unique(ids.map(pathOf)), parseResult);
    const found = new Map<PhotoId, CaptionResult>();
    for (const id of ids) {
      const result = results.get(pathOf(id));
      const file = files.get(filePath(id));
      if (result === undefined) continue;
      found.set(id, file !== undefined && isByteId(id) ? resultForFile(result, { id, bytes: file.bytes }) : result);
    }
    return found;
  }

  /** Deletes a revision's captions of a photo, for all options, and its file entries. Returns whether KV deleted them. */
  remove({ photoId, revision, files }: Omit<CaptionKey, "options"> & { files: readonly PhotoId[] }): Promise<boolean> {
    const captions = allSearches.map((options) => captionPath({ photoId, revision, options }));
    const subjects = [...new Set([photoId, ...files])];
    const rememberedSeconds = removalRememberedSeconds;
    // the likeliest first: Cloudflare's free plan ends a request's calls of its cache after fifty
    return this.#store.remove([...files.map(filePath), ...captions], { subjects, rememberedSeconds });
  }
}

/** Creates the cache that a deployment's settings describe. */
export function captionCacheOf(settings: CacheSettings, waitUntil: LayeredStoreParts["waitUntil"]): CaptionCache {
  return new CaptionCache({
    kv: settings.captions,
    edgeCache: caches.default,
    origin: nearCacheOrigin(settings),
    ttlSeconds: settings.cacheTtlSeconds,
    nearTtlSeconds: settings.nearCacheSeconds,
    waitUntil,
  });
}

/**
 * Returns the origin of this deployment's entries in data centres' caches, which all workers of a zone share: a name that
 * nobody can own (RFC 6761) with a part of the deployment's own. The request's host would not do, since a worker has several.
 */
export function nearCacheOrigin({ tombstones }: Pick<CacheSettings, "tombstones">): string {
  return `https://${tombstones.idFromName("near cache").toString().slice(0, 32)}.edge-caption.invalid`;
}

/** Turns a stored result into the answer for one of the files that have its content. */
export function resultForFile(result: CaptionResult, { id, bytes }: { id: ByteId; bytes: number }): CaptionResult {
  return { ...result, id, image: { ...result.image, bytes } };
}

/** Whether an id is that of a file, rather than of a photo's content. */
export function isByteId(id: PhotoId): id is ByteId {
  return id.startsWith("sha256:");
}

function captionKey(key: CaptionKey): EntryKey {
  return { path: captionPath(key), subject: key.photoId };
}

function captionPath({ photoId, revision, options }: CaptionKey): string {
  return `caption/${revision}/${photoId}?${captionQuery(options)}`;
}

function fileEntries({ id, contentId, bytes }: PhotoFile): [string, Stored][] {
  if (contentId === undefined) return [];
  const file: KnownFile = { contentId, bytes: bytes.length };
  return [[filePath(id), { body: JSON.stringify(file), storedAtMs: Date.now() }]];
}

function filePath(id: PhotoId): string {
  return `file/${id}`;
}

function parseResult(body: string): CaptionResult {
  return captionResultSchema.parse(JSON.parse(body));
}

function parseFile(body: string): KnownFile {
  return fileSchema.parse(JSON.parse(body));
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
