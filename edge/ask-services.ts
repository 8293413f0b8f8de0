import { CaptionError, errorCodes } from "../shared/errors.ts";
import type { ServiceOrigins } from "./service-origins.ts";
import { Unreachable, type Verdict } from "./service-reply.ts";

/** Before a second round, so that many isolates do not come back at the same moment. */
const minPauseMs = 50;
const maxPauseMs = 250;
const rounds = 2;
/** Between two looks at services that are away: doubled each time, so that a short restart costs little and a long one few. */
const firstPauseMs = 100;
const longestPauseMs = 1_000;
/** For one look. */
const lookMs = 5_000;
/** Less is no time to caption a photo in. */
const leastLeftMs = 100;

export interface Question<T> {
  origins: ServiceOrigins;
  deadlineAtMs: number;
  /**
   * The least time that is fair to an origin: one that took longer has failed. Where one had less, because all were away
   * before, callers are told that those could not be reached.
   */
  fairMs: number;
  /** Asks one origin. Throws `upstream_error` and `upstream_timeout` where that origin has failed. */
  ask: (origin: string, timeoutMs: number) => Promise<Verdict<T>>;
  /** Whether an origin would answer, at little cost. Where it is left out, nobody waits for a service that cannot be reached. */
  isReady?: (origin: string, timeoutMs: number) => Promise<boolean>;
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
    if (round === rounds || !(await isWorthARound(question, attempts))) break;
  }
  throw attempts.worst() ?? unasked(question);
}

/**
 * Whether to ask once more. While all services are started again, waits for one of them as long as there is time; the photo
 * itself is not sent meanwhile, since it may be what ended them.
 */
async function isWorthARound<T>(question: Question<T>, attempts: Attempts): Promise<boolean> {
  const { origins, deadlineAtMs, isReady } = question;
  if (isReady === undefined || !attempts.areAllAway) {
    return attempts.areWorthARetry && (await pauseBefore(deadlineAtMs));
  }
  const hasMoved = attempts.areWorthARetry && (await pauseBefore(deadlineAtMs));
  const waited = await untilReady({ origins: origins.available(), deadlineAtMs, isReady });
  return waited === "after a while" || (hasMoved && waited === "at once"); // one that is ready and refuses is overloaded
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
    const begunMs = Date.now();
    const isFair = timeoutMs >= fairMs;
    try {
      const verdict = await ask(origin, timeoutMs);
      origins.noteSuccess(origin);
      attempts.blameUnreachable({ except: origin });
      if ("value" in verdict) return verdict;
      if (!isWorthAnother(verdict.refusal)) throw verdict.refusal;
      attempts.add(verdict.refusal, { isFair });
    } catch (error) {
      if (!(error instanceof CaptionError) || !isWorthAnother(error)) throw error;
      attempts.add(error, { isFair });
      // one that answered others meanwhile lives: this photo is slow, and not the service
      const isSilent = isFair && !origins.hasAnsweredSince(origin, begunMs);
      if (isUnreachable(error)) attempts.noteUnreachable(origin, error);
      else if (error.code === "upstream_error" || isSilent) attempts.blame(origin, error);
    }
  }
  return undefined;
}

function isUnreachable({ cause }: CaptionError): boolean {
  return cause instanceof Unreachable;
}

/** Whether another service may do better: not where the photo is at fault. */
function isWorthAnother({ code }: CaptionError): boolean {
  return errorCodes[code].isWorthAnotherService === true;
}

/** What came of asking, for one request: an origin is blamed once for it, however often it failed. */
class Attempts {
  readonly #origins: ServiceOrigins;
  readonly #failures: CaptionError[] = [];
  readonly #blamed = new Set<string>();
  readonly #unreachable = new Map<string, CaptionError>();

  constructor(origins: ServiceOrigins) {
    this.#origins = origins;
  }

  /** Where all were away before, a time-out tells only that little time was left: it is then passed over. */
  add(failure: CaptionError, { isFair }: { isFair: boolean }): void {
    if (failure.code !== "upstream_timeout" || isFair || !this.areAllAway) this.#failures.push(failure);
  }

  blame(origin: string, error: CaptionError): void {
    if (!this.#blamed.has(origin)) this.#origins.noteFailure(origin, error);
    this.#blamed.add(origin);
  }

  noteUnreachable(origin: string, error: CaptionError): void {
    this.#unreachable.set(origin, error);
  }

  /** Once another has answered: while nobody can be reached, leaving them alone would only make it last longer. */
  blameUnreachable({ except }: { except: string }): void {
    for (const [origin, error] of this.#unreachable) if (origin !== except) this.blame(origin, error);
    this.#unreachable.clear();
  }

  /** Whether all that failed could not be reached, or may be starting. */
  get areAllAway(): boolean {
    return (
      this.#failures.length > 0 &&
      this.#failures.every((failure) => isUnreachable(failure) || failure.code === "overloaded")
    );
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

interface Wait {
  origins: readonly string[];
  deadlineAtMs: number;
  isReady: (origin: string, timeoutMs: number) => Promise<boolean>;
}

/** Waits until one of the services is ready. Tells whether that was so at once, after a while, or never in the time there is. */
async function untilReady({ origins, deadlineAtMs, isReady }: Wait): Promise<"at once" | "after a while" | "never"> {
  for (let look = 0; origins.length > 0; look++) {
    const leftMs = deadlineAtMs - Date.now() - leastLeftMs;
    if (leftMs <= 0) break;
    const looks = await Promise.all(origins.map((origin) => isReady(origin, Math.min(lookMs, leftMs))));
    if (looks.includes(true)) return look === 0 ? "at once" : "after a while";
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** look) * (0.5 + Math.random() / 2);
    await scheduler.wait(Math.min(pauseMs, Math.max(0, deadlineAtMs - Date.now())));
  }
  return "never";
}

function unasked({ origins }: Pick<Question<unknown>, "origins">): CaptionError {
  return origins.available().length > 0
    ? new CaptionError("upstream_timeout", "no time was left to ask the captioning service")
    : new CaptionError("upstream_error", "the captioning service failed a moment ago and is left alone for a while");
}
