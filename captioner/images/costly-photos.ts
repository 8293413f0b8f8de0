import { CaptionError } from "../../shared/errors.ts";

/** How many costly photos may wait or be decoded at the same time; those beyond are refused. */
export interface CostlyLimits {
  perCaller: number;
  /** All callers together. */
  inHand: number;
}

const longestRetrySeconds = 60;

/** Costly photos that wait or are being decoded, by caller, so that nobody fills the queue for the others. */
export class CostlyPhotos {
  readonly #limits: CostlyLimits;
  readonly #inHand = new Map<string | undefined, number>();
  #expectedMs = 0;

  constructor(limits: CostlyLimits) {
    this.#limits = limits;
  }

  /**
   * Counts a photo against its caller, who is undefined where nobody tells. Returns what takes it off again. Throws
   * `rate_limited` for one more than a caller may have, `overloaded` for one more than all may have.
   */
  take({ caller, expectedMs }: { caller: string | undefined; expectedMs: number }): () => void {
    const { perCaller, inHand } = this.#limits;
    const retryAfterSeconds = Math.min(longestRetrySeconds, Math.max(1, Math.ceil(this.#expectedMs / 1000)));
    const ofCaller = this.#inHand.get(caller) ?? 0;
    if (caller !== undefined && ofCaller >= perCaller) {
      const expected = `expected at most ${perCaller} photos of a caller at once that take long to decode`;
      throw new CaptionError("rate_limited", `${expected}, received one more`, { retryAfterSeconds });
    }
    if (this.count >= inHand) {
      const expected = `expected at most ${inHand} photos at once that take long to decode`;
      throw new CaptionError("overloaded", `${expected}, received one more`, { retryAfterSeconds });
    }
    this.#add(caller, 1);
    this.#expectedMs += expectedMs;
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#add(caller, -1);
      this.#expectedMs -= expectedMs;
    };
  }

  get count(): number {
    return [...this.#inHand.values()].reduce((sum, count) => sum + count, 0);
  }

  #add(caller: string | undefined, change: 1 | -1): void {
    const count = (this.#inHand.get(caller) ?? 0) + change;
    if (count === 0) this.#inHand.delete(caller);
    else this.#inHand.set(caller, count);
  }
}
