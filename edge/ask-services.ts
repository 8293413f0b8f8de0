import { CaptionError } from "../shared/errors.ts";
import type { ServiceOrigins } from "./service-origins.ts";
import type { Verdict } from "./service-reply.ts";

/** Before a second round, so that many isolates do not come back at the same moment. */
const minPauseMs = 50;
const maxPauseMs = 250;
const rounds = 2;

export interface Question<T> {
  origins: ServiceOrigins;
  deadlineAtMs: number;
  /** The least time that is fair to an origin: one that took longer has failed, one that had less has not. */
  fairMs: number;
  /** Asks one origin. Throws `upstream_error` and `upstream_timeout` where that origin has failed. */
  ask: (origin: string, timeoutMs: number) => Promise<Verdict<T>>;
}

/**
 * Asks one service after the other until one answers, then once more those that failed; asking twice is safe, since a
 * caption is computed and nothing else happens. What a service says of the photo is final. Throws a service's own
 * `overloaded` before any other failure, since that tells when to come back.
 */
export async function askServices<T>(question: Question<T>): Promise<T> {
  const attempts = new Attempts(question.origins);
  for (let round = 1; round <= rounds; round++) {
    const answer = await askOnce(question, attempts);
    if (answer !== undefined) return answer.value;
    if (!attempts.areWorthARetry || round === rounds || !(await pauseBefore(question.deadlineAtMs))) break;
  }
  throw attempts.worst() ?? unasked(question);
}

/** One round: each origin gets its share of the time that is left, so that one which hangs leaves some to the next. */
async function askOnce<T>(
  { origins, deadlineAtMs, fairMs, ask }: Question<T>,
  attempts: Attempts,
): Promise<{ value: T } | undefined> {
  const available = origins.available();
  for (const [index, origin] of available.entries()) {
    const timeoutMs = Math.floor((deadlineAtMs - Date.now()) / (available.length - index));
    if (timeoutMs <= 0) break;
    try {
      const verdict = await ask(origin, timeoutMs);
      origins.noteSuccess(origin);
      if ("value" in verdict) return verdict;
      if (!isWorthAnother(verdict.refusal)) throw verdict.refusal;
      attempts.add(verdict.refusal);
    } catch (error) {
      if (!(error instanceof CaptionError) || !isWorthAnother(error)) throw error;
      attempts.add(error);
      if (error.code === "upstream_error" || timeoutMs >= fairMs) attempts.blame(origin, error);
    }
  }
  return undefined;
}

/** Whether another service may do better: not where the photo is at fault. */
function isWorthAnother({ code }: CaptionError): boolean {
  return code === "upstream_error" || code === "upstream_timeout" || code === "overloaded";
}

/** What came of asking, for one request: an origin is blamed once for it, however often it failed. */
class Attempts {
  readonly #origins: ServiceOrigins;
  readonly #failures: CaptionError[] = [];
  readonly #blamed = new Set<string>();

  constructor(origins: ServiceOrigins) {
    this.#origins = origins;
  }

  add(failure: CaptionError): void {
    this.#failures.push(failure);
  }

  blame(origin: string, error: CaptionError): void {
    if (!this.#blamed.has(origin)) this.#origins.noteFailure(origin, error);
    this.#blamed.add(origin);
  }

  get areWorthARetry(): boolean {
    return this.#failures.some(({ code }) => code === "upstream_error");
  }

  worst(): CaptionError | undefined {
    const overloaded = this.#failures
      .filter(({ code }) => code === "overloaded")
      .toSorted((one, other) => (one.retryAfterSeconds ?? 0) - (other.retryAfterSeconds ?? 0));
    return overloaded[0] ?? this.#failures.at(-1);
  }
}

/** Whether there is time for a pause and for asking after it. */
async function pauseBefore(deadlineAtMs: number): Promise<boolean> {
  const pauseMs = minPauseMs + Math.random() * (maxPauseMs - minPauseMs);
  if (Date.now() + pauseMs >= deadlineAtMs) return false;
  await scheduler.wait(pauseMs);
  return true;
}

function unasked({ origins }: Pick<Question<unknown>, "origins">): CaptionError {
  return origins.available().length > 0
    ? new CaptionError("upstream_timeout", "no time was left to ask the captioning service")
    : new CaptionError("upstream_error", "the captioning service failed a moment ago and is left alone for a while");
}
