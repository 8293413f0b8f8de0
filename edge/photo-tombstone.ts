import { DurableObject } from "cloudflare:workers";
import { captionCacheOf } from "./caption-cache.ts";
import { Deletions, type SecondLook, type Tombstone } from "./deletions.ts";
import { eraseCaptions } from "./erase-captions.ts";
import { readSettings } from "./settings.ts";

/**
 * How long a deletion is remembered: longer than any request lasts that began before it. By the largest settings these are
 * 120 s for its body, 60 s for fetching the photo and 29 s for the caption; and KV may lag for 60 s.
 */
const tombstoneSeconds = 600;
/** When KV has surely told everywhere what it was told before the deletion. */
export const secondLookSeconds = 90;

/**
 * When a photo's captions were deleted; either id of the photo names the object. KV cannot tell this: another data centre may
 * go on for a minute about what it had, and about what it had not.
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

  /** Looks again where that was asked for; forgets the deletion at its end. */
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

  /** Deletes the captions of what the file shows, unless it came after the deletion. Throws to be called again. */
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
