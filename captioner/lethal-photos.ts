import { LRUCache } from "lru-cache";
import { CaptionError } from "../shared/errors.ts";

/** Faults of a photo before nobody works on it any more: engines that were lost with it, or times it was not decoded in time. */
const maxFaults = 2;
const remembered = 1000;
/** Engines also end for reasons of their own, and machines are slow at times, so that nobody is accused for good. */
const forgottenAfterMs = 60 * 60 * 1000;

type Fault = "loss" | "timeout";

const sentences: Record<Fault, string> = {
  loss: "two engines ended while they worked on this photo: it is refused for a while",
  timeout: "this photo was not decoded in time: it is refused for a while",
};

interface Faults {
  faults: number;
  last: Fault;
}

/** Photos that do harm, by their ids: two engines were lost while they worked on one, or it was not decoded in time. */
export class LethalPhotos {
  readonly #faults = new LRUCache<string, Faults>({ max: remembered, ttl: forgottenAfterMs });

  /** Throws `invalid_image` for a photo that is known to do harm. */
  expectHarmless(id: string): void {
    const known = this.#faults.get(id);
    if (known !== undefined && known.faults >= maxFaults)
      throw new CaptionError("invalid_image", sentences[known.last]);
  }

  /** Counts an engine that was lost. Returns whether another may have the photo. */
  countLoss(id: string): boolean {
    return this.#count(id, { faults: 1, last: "loss" }) < maxFaults;
  }

  /** Counts that a photo was not decoded in time. Once is enough for one that was expected to take long. */
  countTimeout(id: string, { isCostly }: { isCostly: boolean }): void {
    this.#count(id, { faults: isCostly ? maxFaults : 1, last: "timeout" });
  }

  /** The photo went through: it was another's fault. */
  forgive(id: string): void {
    this.#faults.delete(id);
  }

  #count(id: string, { faults, last }: Faults): number {
    const all = (this.#faults.get(id)?.faults ?? 0) + faults;
    this.#faults.set(id, { faults: all, last });
    return all;
  }
}
