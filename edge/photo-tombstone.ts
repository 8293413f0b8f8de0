import { DurableObject } from "cloudflare:workers";
import { captionCacheOf } from "./caption-cache.ts";
import { Deletions, eraseCaptions, type SecondLook, type Tombstone } from "./deletions.ts";
import { readSettings } from "./settings.ts";

/**
 * How long a deletion is remembered: longer than any request that began before it. At the largest settings a request has
 * 120 s for its body, 60 s for fetching the photo and 29 s for the caption; and KV may lag for 60 s.
 */
const tombstoneSeconds = 600;
/** Delay after which every data centre reads from KV what was written before the deletion. */
export const secondLookSeconds = 90;

/**
 * Remembers when a photo's captions were deleted; either id of the photo names an object. KV cannot do this: for a minute,
 * another data centre may read old values, and may miss new ones.
 */
export class PhotoTombstone extends DurableObject implements Tombstone {
  async place(secondLook?: SecondLook): Promise<void> {
    const { storage } = this.ctx;
    await storage.put("deletedAtMs", Date.now());
    if (secondLook === undefined) await storage.delete("secondLook");
    else await storage.put("secondLook", secondLook);
    await storage.setAlarm(Date.now() + (secondLook === undefined ? tombstoneSeconds : secondLookSeconds) * 1000);
  }

  async isPlacedSince(ms: number): Promise<boolean> {
    return (await this.#deletedAtMs()) >= ms;
  }

  /** Takes the second look if there is one to take; otherwise forgets the deletion. */
  override async alarm(): Promise<void> {
    const { storage } = this.ctx;
    const secondLook = await storage.get<SecondLook>("secondLook");
    if (secondLook === undefined) return storage.deleteAll();
    await this.#lookAgain(secondLook);
    await storage.delete("secondLook");
    await storage.setAlarm((await this.#deletedAtMs()) + tombstoneSeconds * 1000);
  }

  async #deletedAtMs(): Promise<number> {
    return (await this.ctx.storage.get<number>("deletedAtMs")) ?? 0;
  }

  /** Deletes the captions of the file's content, unless the file came after the deletion. Throws to be called again. */
  async #lookAgain({ id, revision }: SecondLook): Promise<void> {
    const settings = readSettings(this.env);
    const cache = captionCacheOf(settings, (work) => this.ctx.waitUntil(work));
    const file = await cache.findFileInKv(id);
    if (file === null || file.storedAtMs > (await this.#deletedAtMs())) return;
    const parts = { cache, flights: settings.flights, deletions: new Deletions(settings.tombstones) };
    const { contentId } = file.value;
    const isDone = await eraseCaptions(parts, { ids: [contentId], files: [id], photoId: contentId, revision });
    if (!isDone) throw new Error("captions could not be deleted at the second look");
  }
}
