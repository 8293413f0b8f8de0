import { isolateState } from "./isolate-state.ts";
import { describeError, log } from "./log.ts";

/** Fewer failures may come from a broken connection, or from a photo that breaks the service. */
const failuresBeforeRest = 3;

/**
 * The services that this isolate asks, in the order of the setting. One that fails three requests in a row is left alone for
 * a while and then asked again; its next failure has it left alone again.
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

  /** Whether an origin has answered any request since that time. */
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
