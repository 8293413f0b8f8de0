import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import * as z from "zod";
import { captionResultSchema } from "../../shared/contract.ts";
import type { CaptionedState, WallPhoto } from "./wall.ts";

/** An entry with its picture takes about 60 kB. */
const maxEntries = 500;

interface HistorySchema extends DBSchema {
  photos: { key: string; value: unknown; indexes: { addedAtMs: number } };
}

const entrySchema = z.object({
  key: z.string(),
  name: z.string(),
  addedAtMs: z.number(),
  picture: z.instanceof(Blob).optional(),
  state: z.object({
    step: z.literal("captioned"),
    result: captionResultSchema,
    isHit: z.boolean(),
    elapsedMs: z.number(),
    correction: z.string().optional(),
  }),
});

/** Captions with small pictures, stored in this browser's own database only, and never the photos themselves. */
export class History {
  readonly #database: Promise<IDBPDatabase<HistorySchema>>;

  constructor() {
    this.#database = openDB<HistorySchema>("edge-caption", 1, {
      upgrade: (database) => {
        database.createObjectStore("photos", { keyPath: "key" }).createIndex("addedAtMs", "addedAtMs");
      },
    });
    this.#database.catch(() => undefined); // each method reports it
  }

  /** Reads the entries, newest first. Skips those that cannot be read, such as an older page's. */
  async read(): Promise<WallPhoto[]> {
    const entries = await (await this.#database).getAllFromIndex("photos", "addedAtMs");
    return entries.reverse().flatMap((entry) => {
      const { success, data } = entrySchema.safeParse(entry);
      if (!success) return [];
      const { picture, ...photo } = data;
      const address = picture === undefined ? undefined : URL.createObjectURL(picture);
      return [{ ...photo, origin: { visit: "earlier" as const }, picture: address }];
    });
  }

  /** Stores a captioned photo and deletes the oldest beyond the limit. */
  async store(
    photo: WallPhoto,
    { state, picture }: { state: CaptionedState; picture: Blob | undefined },
  ): Promise<void> {
    const { key, name, addedAtMs } = photo;
    const transaction = (await this.#database).transaction("photos", "readwrite");
    await transaction.store.put({ key, name, addedAtMs, state, ...(picture === undefined ? {} : { picture }) });
    const surplus = (await transaction.store.count()) - maxEntries;
    let oldest = surplus > 0 ? await transaction.store.index("addedAtMs").openCursor() : null;
    for (let count = 0; count < surplus && oldest !== null; count++) {
      await oldest.delete();
      oldest = await oldest.continue();
    }
    await transaction.done;
  }

  /** Replaces the state of an entry, if there is one. */
  async update(key: string, state: CaptionedState): Promise<void> {
    const { store, done } = (await this.#database).transaction("photos", "readwrite");
    const { success, data } = entrySchema.safeParse(await store.get(key));
    if (success) await store.put({ ...data, state });
    await done;
  }

  async remove(key: string): Promise<void> {
    await (await this.#database).delete("photos", key);
  }

  async clear(): Promise<void> {
    await (await this.#database).clear("photos");
  }
}
