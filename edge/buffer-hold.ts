import { CaptionError } from "../shared/errors.ts";
import { isolateState } from "./isolate-state.ts";

/** Half of the 128 MB that an isolate has: joining an upload's chunks takes its size once more, for a moment. */
const maxBufferedBytes = 64 * 1024 * 1024;

/** One upload's share of the isolate's memory. Whoever makes it releases it, whatever happens in between. */
export class BufferHold {
  #bytes = 0;

  /** Counts this upload at `bytes` in all. Throws `overloaded` where the isolate has no room for it. */
  growTo(bytes: number): void {
    const growth = bytes - this.#bytes;
    if (growth <= 0) return;
    if (isolateState.bufferedBytes + growth > maxBufferedBytes) {
      throw new CaptionError("overloaded", "too many uploads are under way here, try again in a moment", {
        retryAfterSeconds: 1,
      });
    }
    this.#bytes += growth;
    isolateState.bufferedBytes += growth;
  }

  release(): void {
    isolateState.bufferedBytes -= this.#bytes;
    this.#bytes = 0;
  }
}
