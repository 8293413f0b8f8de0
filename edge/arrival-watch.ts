import type { CaptionError } from "../shared/errors.ts";
import type { BufferHold } from "./buffer-hold.ts";

/** The rate is an average over a window that moves on by a fifth of itself. */
const maxWindowMs = 5_000;
const ticksPerWindow = 5;

export interface ArrivalLimits {
  /** For all of it. */
  timeoutMs: number;
  /** On average over five seconds, or over a third of the time limit where that is less. */
  minBytesPerSecond: number;
}

interface WatchPlan extends ArrivalLimits {
  /** What to throw when the time is up, and when too little arrives. */
  tooLate: (limit: "time" | "rate") => CaptionError;
}

/** Ends the reading of what arrives too late or too slowly, or has to give way to others. */
export class ArrivalWatch {
  readonly #plan: WatchPlan;
  readonly #ending = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;
  #ticks: ReturnType<typeof setInterval> | null = null;
  #bytes = 0;

  /** The time begins to count; whoever makes one ends it. */
  constructor(plan: WatchPlan) {
    this.#plan = plan;
    this.#timer = setTimeout(() => this.#ending.abort(plan.tooLate("time")), plan.timeoutMs);
  }

  /** Its reason is what to throw. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** The rate begins to count, and the place in memory. */
  watchRate(hold: BufferHold | undefined): void {
    const { timeoutMs, minBytesPerSecond } = this.#plan;
    const tickMs = Math.min(maxWindowMs, timeoutMs / 3) / ticksPerWindow;
    const minBytes = (minBytesPerSecond * tickMs * ticksPerWindow) / 1000;
    const seen = [this.#bytes];
    this.#ticks = setInterval(() => {
      seen.push(this.#bytes);
      const before = seen.length > ticksPerWindow ? seen.shift() : undefined;
      if (before !== undefined && this.#bytes - before < minBytes) this.#ending.abort(this.#plan.tooLate("rate"));
      this.#expectPlace(hold);
    }, tickMs);
  }

  note(bytes: number): void {
    this.#bytes = bytes;
  }

  end(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#ticks);
  }

  #expectPlace(hold: BufferHold | undefined): void {
    try {
      hold?.expectItsPlace();
    } catch (error) {
      this.#ending.abort(error);
    }
  }
}
