import { LRUCache } from "lru-cache";
import { CaptionError } from "../shared/errors.ts";

/** Faults after which a photo is refused: a lost engine that was running it, or decoding that took too long. */
const maxFaults = 2;
const remembered = 1000;
/** Faults are forgotten after an hour, since engines also end for other reasons and machines are slow at times. */
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

/** Quarantines photos by id: those with which two engines were lost, or which were not decoded in time. */
export class Quarantine {
  readonly #faults = new LRUCache<string, Faults>({ max: remembered, ttl: forgottenAfterMs });

  /** Throws `invalid_image` for a photo in quarantine. */
  admit(id: string): void {
    const known = this.#faults.get(id);
    if (known !== undefined && known.faults >= maxFaults)
      throw new CaptionError("invalid_image", sentences[known.last]);
  }

  /** Counts an engine that was lost. Returns whether another may have the photo. */
  countLoss(id: string): boolean {
    return this.#count(id, { faults: 1, last: "loss" }) < maxFaults;
  }

  /** Counts that a photo was not decoded in time. Once is enough for one that was expected to take long. */
  countTimeout(id: string, { isSlow }: { isSlow: boolean }): void {
    this.#count(id, { faults: isSlow ? maxFaults : 1, last: "timeout" });
  }

  /** Forgets the faults of a photo that was captioned: they were another's. */
  release(id: string): void {
    this.#faults.delete(id);
  }

  #count(id: string, { faults, last }: Faults): number {
    const all = (this.#faults.get(id)?.faults ?? 0) + faults;
    this.#faults.set(id, { faults: all, last });
    return all;
  }
}
