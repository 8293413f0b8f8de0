import { setTimeout } from "node:timers/promises";
import pRetry from "p-retry";

const retries = 3;
const firstWaitMs = 500;
/** Longest wait that a server may ask for. */
const longestWaitMs = 60_000;

/** Thrown if a photo cannot be read from its address; the others continue. Its message is a sentence without the address. */
export class UnfitObject extends Error {
  override readonly name = "UnfitObject";
  /** Least wait before another try; undefined if none would help. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, { cause, retryAfterMs }: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, { cause });
    this.retryAfterMs = retryAfterMs;
  }
}

/** Reads a photo, several times if that may help, with longer and longer waits. */
export function readWithRetries<Result>(read: () => Promise<Result>): Promise<Result> {
  return pRetry(read, {
    retries,
    minTimeout: firstWaitMs,
    randomize: true,
    shouldRetry: ({ error }) => error instanceof UnfitObject && error.retryAfterMs !== undefined,
    async onFailedAttempt({ error, retriesLeft }) {
      const askedMs = error instanceof UnfitObject && retriesLeft > 0 ? (error.retryAfterMs ?? 0) : 0;
      if (askedMs > 0) await setTimeout(Math.min(askedMs, longestWaitMs));
    },
  });
}
