import { LRUCache } from "lru-cache";
import { CaptionError } from "../shared/errors.ts";
import type { ByteId } from "../shared/photo-id.ts";
import { EngineLost } from "./engine-process.ts";

const remembered = 1000;
/** Engines also end for reasons of their own, so that nobody is accused for good. */
const forgottenAfterMs = 60 * 60 * 1000;

/** Photos with which two engines were lost, by their bytes: they reach no third one. */
export class LethalPhotos {
  readonly #ids = new LRUCache<ByteId, true>({ max: remembered, ttl: forgottenAfterMs });

  /** Throws `invalid_image` for a photo that is known. */
  expectHarmless(id: ByteId): void {
    if (!this.#ids.has(id)) return;
    throw new CaptionError(
      "invalid_image",
      "this photo has ended the engines that worked on it, and is refused for a while",
    );
  }

  /** Remembers the photo where that is what its failure means. */
  learnFrom(error: unknown, id: ByteId): void {
    if (error instanceof CaptionError && error.cause instanceof EngineLost) this.#ids.set(id, true);
  }
}
