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
import { type Layer, LayeredStore, type LayeredStoreParts, type Stored } from "./layered-store.ts";
import { parseJson } from "./parse-json.ts";

/** A caption with the JSON that is stored of it, whose hash is the `ETag`. */
export interface Caption extends Stored {
  /** Its `id` and `image.bytes` are those of the file that it was made of. */
  result: CaptionResult;
  /** Where it was found; or made just now and stored, for this request or for another that it waited with. */
  from: Layer | "service" | "another request";
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
    const found = await this.#store.read(captionPath(key), parseResult);
    return found && { body: found.body, storedAtMs: found.storedAtMs, result: found.value, from: found.layer };
  }

  async findFile(id: ByteId): Promise<KnownFile | null> {
    return (await this.#store.read(filePath(id), parseFile))?.value ?? null;
  }

  store(key: CaptionKey, caption: Stored): void {
    this.#store.write(captionPath(key), caption);
  }

  /** For a caption that another request stored. */
  storeNear(key: CaptionKey, caption: Stored): void {
    this.#store.writeNear(captionPath(key), caption);
  }

  storeFile(id: ByteId, file: KnownFile): void {
    this.#store.write(filePath(id), { body: JSON.stringify(file), storedAtMs: Date.now() });
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

  /** Takes out what a revision said of a photo, whatever the options, and the way there; tells whether KV did. */
  remove({ photoId, revision, id }: Omit<CaptionKey, "options"> & { id: PhotoId }): Promise<boolean> {
    const captions = allCaptionOptions.map((options) => captionPath({ photoId, revision, options }));
    return this.#store.remove([...captions, filePath(id)]);
  }
}

/** A stored result as the answer for one of the files that show the same. */
export function resultForFile(result: CaptionResult, { id, bytes }: { id: ByteId; bytes: number }): CaptionResult {
  return { ...result, id, image: { ...result.image, bytes } };
}

/** Whether an id is that of a file, and not of what a photo shows. */
export function isByteId(id: PhotoId): id is ByteId {
  return id.startsWith("sha256:");
}

function captionPath({ photoId, revision, options }: CaptionKey): string {
  return `caption/${revision}/${photoId}?${captionQuery(options)}`;
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
