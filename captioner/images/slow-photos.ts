import { CaptionError } from "../../shared/errors.ts";

/** How many slow photos may wait or be decoded at the same time; more are refused. */
export interface SlowPhotoLimits {
  perCaller: number;
  /** Limit on the slow photos of all callers together. */
  total: number;
}

const longestRetrySeconds = 60;

/** Counts the slow photos of each caller that wait or are being decoded, so that no caller fills the queue for others. */
export class SlowPhotos {
  readonly #limits: SlowPhotoLimits;
  readonly #counts = new Map<string | undefined, number>();
  #expectedMs = 0;

  constructor(limits: SlowPhotoLimits) {
    this.#limits = limits;
  }

  /**
   * Counts a photo against its caller, who may be unknown. Returns the function that uncounts it. Throws `rate_limited` above
   * the caller's limit, `overloaded` above that of all callers.
   */
  take({ caller, expectedMs }: { caller: string | undefined; expectedMs: number }): () => void {
    const { perCaller, total } = this.#limits;
    const retryAfterSeconds = Math.min(longestRetrySeconds, Math.max(1, Math.ceil(this.#expectedMs / 1000)));
    const ofCaller = this.#counts.get(caller) ?? 0;
    if (caller !== undefined && ofCaller >= perCaller) {
      const expected = `expected at most ${perCaller} photos of a caller at once that take long to decode`;
      throw new CaptionError("rate_limited", `${expected}, received one more`, { retryAfterSeconds });
    }
    if (this.count >= total) {
      const expected = `expected at most ${total} photos at once that take long to decode`;
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
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  #add(caller: string | undefined, change: 1 | -1): void {
    const count = (this.#counts.get(caller) ?? 0) + change;
    if (count === 0) this.#counts.delete(caller);
    else this.#counts.set(caller, count);
  }
}
