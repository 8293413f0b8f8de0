import { LRUCache } from "lru-cache";
import { CaptionError } from "../shared/errors.ts";

/** Engines that may be lost while they work on a photo before nobody else does. */
const maxLosses = 2;
const remembered = 1000;
/** Engines also end for reasons of their own, so that nobody is accused for good. */
const forgottenAfterMs = 60 * 60 * 1000;

/** Which photos were in the hands of engines that were lost, by their ids. One with which two were lost reaches no third. */
export class LethalPhotos {
  readonly #losses = new LRUCache<string, number>({ max: remembered, ttl: forgottenAfterMs });

  /** Throws `invalid_image` for a photo that is known to be lethal. */
  expectHarmless(id: string): void {
    if (!this.#isLethal(id)) return;
    throw new CaptionError(
      "invalid_image",
      "two engines ended while they worked on this photo: it is refused for a while",
    );
  }

  /** Counts a loss. Returns whether another engine may have the photo. */
  countLoss(id: string): boolean {
    this.#losses.set(id, (this.#losses.get(id) ?? 0) + 1);
    return !this.#isLethal(id);
  }

  /** The photo went through: it was another's fault. */
  forgive(id: string): void {
    this.#losses.delete(id);
  }

  #isLethal(id: string): boolean {
    return (this.#losses.get(id) ?? 0) >= maxLosses;
  }
}
