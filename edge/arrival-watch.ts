import type { CaptionError } from "../shared/errors.ts";
import type { BufferHold } from "./buffer-hold.ts";

/** The rate is averaged over a sliding window, which advances by a fifth of its length. */
const maxWindowMs = 5_000;
const ticksPerWindow = 5;
const maxReadBytes = 4 * 1024;

export interface ArrivalLimits {
  /** Time for all of it. */
  timeoutMs: number;
  /** Average over five seconds, or over a third of the time limit if that is less. */
  minBytesPerSecond: number;
}

interface WatchPlan extends ArrivalLimits {
  /** Makes the error for a body that exceeds the time or arrives below the rate. */
  tooLate: (cause: "time" | "rate") => CaptionError;
}

/** Ends the reading of a body that arrives too late or too slowly, or was evicted from memory. */
export class ArrivalWatch {
  /** Bytes that a read should wait for at most, so that arrivals are seen in time. */
  readonly minReadBytes: number;
  readonly #plan: WatchPlan;
  readonly #tickMs: number;
  readonly #ending = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;
  #ticks: ReturnType<typeof setInterval> | null = null;
  #bytes = 0;

  /** Starts the time limit; the caller ends the watch. */
  constructor(plan: WatchPlan) {
    this.#plan = plan;
    this.#tickMs = Math.min(maxWindowMs, plan.timeoutMs / 3) / ticksPerWindow;
    const bytesPerTick = Math.ceil((plan.minBytesPerSecond * this.#tickMs) / 1000) || maxReadBytes;
    this.minReadBytes = Math.min(bytesPerTick, maxReadBytes);
    this.#timer = setTimeout(() => this.#ending.abort(plan.tooLate("time")), plan.timeoutMs);
  }

  /** Aborts with the error to throw as its reason. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Starts to check the rate, and whether the hold was evicted. */
  watchRate(hold: BufferHold | undefined): void {
    const bytesPerWindow = (this.#plan.minBytesPerSecond * this.#tickMs * ticksPerWindow) / 1000;
    const minBytes = bytesPerWindow - this.minReadBytes; // so many may have arrived unseen
    const seen = [this.#bytes];
    this.#ticks = setInterval(() => {
      seen.push(this.#bytes);
      const before = seen.length > ticksPerWindow ? seen.shift() : undefined;
      if (before !== undefined && this.#bytes - before < minBytes) this.#ending.abort(this.#plan.tooLate("rate"));
      this.#checkEviction(hold);
    }, this.#tickMs);
  }

  /** Takes note of how many bytes have arrived in all. */
  note(bytes: number): void {
    this.#bytes = bytes;
  }

  end(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#ticks);
  }

  #checkEviction(hold: BufferHold | undefined): void {
    try {
      hold?.expectNotEvicted();
    } catch (error) {
      this.#ending.abort(error);
    }
  }
}
