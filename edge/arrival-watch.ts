import type { CaptionError } from "../shared/errors.ts";
import type { BufferHold } from "./buffer-hold.ts";

/** The rate is an average over a window that moves on by a fifth of itself. */
const maxWindowMs = 5_000;
const ticksPerWindow = 5;
const maxReadBytes = 4 * 1024;

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
  /** What a read should wait for at most, so that what has arrived is seen in time. */
  readonly minReadBytes: number;
  readonly #plan: WatchPlan;
  readonly #tickMs: number;
  readonly #ending = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;
  #ticks: ReturnType<typeof setInterval> | null = null;
  #bytes = 0;

  /** The time begins to count; whoever makes one ends it. */
  constructor(plan: WatchPlan) {
    this.#plan = plan;
    this.#tickMs = Math.min(maxWindowMs, plan.timeoutMs / 3) / ticksPerWindow;
    const bytesPerTick = Math.ceil((plan.minBytesPerSecond * this.#tickMs) / 1000) || maxReadBytes;
    this.minReadBytes = Math.min(bytesPerTick, maxReadBytes);
    this.#timer = setTimeout(() => this.#ending.abort(plan.tooLate("time")), plan.timeoutMs);
  }

  /** Its reason is what to throw. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** The rate begins to count, and the place in memory. */
  watchRate(hold: BufferHold | undefined): void {
    const bytesPerWindow = (this.#plan.minBytesPerSecond * this.#tickMs * ticksPerWindow) / 1000;
    const minBytes = bytesPerWindow - this.minReadBytes; // which may have arrived without being seen
    const seen = [this.#bytes];
    this.#ticks = setInterval(() => {
      seen.push(this.#bytes);
      const before = seen.length > ticksPerWindow ? seen.shift() : undefined;
      if (before !== undefined && this.#bytes - before < minBytes) this.#ending.abort(this.#plan.tooLate("rate"));
      this.#expectPlace(hold);
    }, this.#tickMs);
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
