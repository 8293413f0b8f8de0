import { isolateState } from "./isolate-state.ts";
import { describeError, log } from "./log.ts";

/** Fewer may be a connection that broke, or a photo that breaks things. */
const failuresBeforeRest = 3;

/**
 * Which services this isolate asks, in the order of the setting: one that failed three requests in a row is left alone for a
 * while, then asked again, and left alone again at its next failure.
 */
export class ServiceOrigins {
  readonly #origins: readonly string[];
  readonly #restMs: number;

  constructor({ origins, restSeconds }: { origins: readonly string[]; restSeconds: number }) {
    this.#origins = origins;
    this.#restMs = restSeconds * 1000;
  }

  get count(): number {
    return this.#origins.length;
  }

  available(): string[] {
    const now = Date.now();
    return this.#origins.filter((origin) => (isolateState.origins.get(origin)?.leftAloneUntilMs ?? 0) <= now);
  }

  noteSuccess(origin: string): void {
    isolateState.origins.delete(origin);
    isolateState.answeredAtMs.set(origin, Date.now());
  }

  /** Whether it answered anybody after that time. */
  hasAnsweredSince(origin: string, timeMs: number): boolean {
    return (isolateState.answeredAtMs.get(origin) ?? 0) > timeMs;
  }

  noteFailure(origin: string, error: unknown): void {
    const failures = (isolateState.origins.get(origin)?.failures ?? 0) + 1;
    const isLeftAlone = failures >= failuresBeforeRest;
    isolateState.origins.set(origin, { failures, leftAloneUntilMs: isLeftAlone ? Date.now() + this.#restMs : 0 });
    if (!isLeftAlone) return;
    log("warn", "a service is left alone for a while", {
      origin,
      failures,
      ms: this.#restMs,
      error: describeError(error),
    });
  }
}
