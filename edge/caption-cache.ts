import * as z from "zod";
import {
  allCaptionOptions,
  type CaptionOptions,
  type CaptionResult,
  captionQuery,
  captionResultSchema,
  contentIdSchema,
  type PhotoId,
} from "../shared/contract.ts";
import type { ByteId, PhotoIds } from "../shared/photo-id.ts";
import {
  type EntryPlace,
  type FoundEntry,
  type Layer,
  LayeredStore,
  type LayeredStoreParts,
  type Stored,
} from "./layered-store.ts";
import { parseJson } from "./parse-json.ts";
import type { Settings } from "./settings.ts";

/** A caption with the JSON that is stored of it, whose hash is the `ETag`. */
export interface Caption extends Stored {
  /** Its `id` and `image.bytes` are those of the file that it was made of. */
  result: CaptionResult;
  /** Where it was found; or made just now and stored, for this request or for another that it waited with. */
  from: Layer | "service" | "service, not stored" | "another request";
}

interface CaptionKey {
  /** The content id where the photo has one. */
  photoId: PhotoId;
  revision: string;
  options: CaptionOptions;
}

/** What is known of a file by its byte id: where its caption stands, and what the caption does not tell of the file. */
const fileSchema = z.object({ contentId: contentIdSchema, bytes: z.int().positive() });

export type KnownFile = z.infer<typeof fileSchema>;

interface PhotoFile extends PhotoIds {
  bytes: Uint8Array;
}

/** For how long this data centre takes nothing from KV that was stored before a deletion: KV's lag, with room to spare. */
const removalRememberedSeconds = 600;

interface StoreOptions {
  /** Asked when all is written: a deletion may have come meanwhile. */
  areWanted: () => Promise<boolean>;
}

/** The id that a photo's captions are stored under. */
export function cacheIdOf({ id, contentId }: PhotoIds): PhotoId {
  return contentId ?? id;
}

/**
 * Captions by photo, revision and options, so that an entry never goes stale; it only expires. They stand under the content
 * id, which all files share that show the same; a small entry a file leads there from its byte id.
 */
export class CaptionCache {
  readonly #store: LayeredStore;

  constructor(parts: LayeredStoreParts) {
    this.#store = new LayeredStore(parts);
  }

  async find(key: CaptionKey): Promise<Caption | null> {
    const found = await this.#store.read(captionPlace(key), parseResult);
    return found && { body: found.body, storedAtMs: found.storedAtMs, result: found.value, from: found.layer };
  }

  async findFile(id: ByteId): Promise<KnownFile | null> {
    return (await this.#store.read({ path: filePath(id), subject: id }, parseFile))?.value ?? null;
  }

  findFileInKv(id: ByteId): Promise<FoundEntry<KnownFile> | null> {
    return this.#store.readFar(filePath(id), parseFile);
  }

  /** Stores a caption and, for a photo with a content id, the way there from its file. */
  store(key: CaptionKey, caption: Stored, { photo, ...options }: StoreOptions & { photo: PhotoFile }): void {
    this.#store.write(new Map([[captionPath(key), caption], ...fileEntries(photo)]), options);
  }

  /** For a caption that another request stored, or that may not stay for long. */
  storeNear(key: CaptionKey, caption: Stored): void {
    this.#store.writeNear(captionPlace(key), caption);
  }

  storeFile(photo: PhotoFile, options: StoreOptions): void {
    this.#store.write(new Map(fileEntries(photo)), options);
  }

  /** What is stored of many photos, by the ids that they were asked by. */
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

  /** Takes out what a revision said of a photo, whatever the options, and the ways there; tells whether KV did. */
  remove({ photoId, revision, files }: Omit<CaptionKey, "options"> & { files: readonly PhotoId[] }): Promise<boolean> {
    const captions = allCaptionOptions.map((options) => captionPath({ photoId, revision, options }));
    const subjects = [...new Set([photoId, ...files])];
    const rememberedSeconds = removalRememberedSeconds;
    return this.#store.remove([...captions, ...files.map(filePath)], { subjects, rememberedSeconds });
  }
}

/** The cache that a deployment's settings name. */
export function captionCacheOf(settings: Settings, waitUntil: LayeredStoreParts["waitUntil"]): CaptionCache {
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
 * Where this deployment's entries stand in data centres' caches, which all workers of a zone share: a name that nobody can have
 * (RFC 6761), with the deployment's own part in it. Not the host of the request: a worker has several names.
 */
export function nearCacheOrigin({ tombstones }: Pick<Settings, "tombstones">): string {
  return `https://${tombstones.idFromName("near cache").toString().slice(0, 32)}.edge-caption.invalid`;
}

/** A stored result as the answer for one of the files that show the same. */
export function resultForFile(result: CaptionResult, { id, bytes }: { id: ByteId; bytes: number }): CaptionResult {
  return { ...result, id, image: { ...result.image, bytes } };
}

/** Whether an id is that of a file, and not of what a photo shows. */
export function isByteId(id: PhotoId): id is ByteId {
  return id.startsWith("sha256:");
}

function captionPlace(key: CaptionKey): EntryPlace {
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
  return parseJson(body, captionResultSchema);
}

function parseFile(body: string): KnownFile {
  return parseJson(body, fileSchema);
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
