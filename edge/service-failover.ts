import { CaptionError, errorFacts } from "../shared/errors.ts";
import type { ServiceOrigins } from "./service-origins.ts";
import { type ServiceAnswer, Unreachable } from "./service-reply.ts";

/** Random pause before a second round, so that many isolates do not come back at the same moment. */
const minPauseMs = 50;
const maxPauseMs = 250;
const rounds = 2;
/** Pause between readiness checks of absent services: doubled each time, so that a short restart costs little and a long one few checks. */
const firstCheckPauseMs = 100;
const maxCheckPauseMs = 1_000;
const checkTimeoutMs = 5_000;
/** Less time than this is not enough to caption a photo. */
const minCaptionMs = 100;

export interface ServiceCall<T> {
  origins: ServiceOrigins;
  deadlineAtMs: number;
  /**
   * The shortest time that is fair to an origin: one that took longer has failed. When an origin had less, because all were
   * away before, callers are told that the services could not be reached.
   */
  fairMs: number;
  /** Asks one origin. Throws `upstream_error` and `upstream_timeout` if that origin has failed. */
  attempt: (origin: string, timeoutMs: number) => Promise<ServiceAnswer<T>>;
  /** Whether an origin would answer, found out at little cost. Without it, nobody waits for a service that cannot be reached. */
  isReady?: (origin: string, timeoutMs: number) => Promise<boolean>;
}

/**
 * Asks one service after the other until one answers, then once more those that failed. Asking twice is safe, since a
 * caption is computed and nothing else happens. What a service says about the photo is final. Throws a service's own
 * `overloaded` rather than another failure, since it says when to come back.
 */
export async function tryServices<T>(call: ServiceCall<T>): Promise<T> {
  const failures = new FailedAttempts(call.origins);
  for (let round = 1; round <= rounds; round++) {
    const answer = await tryEachOnce(call, failures);
    if (answer !== undefined) return answer.value;
    if (round === rounds || !(await isWorthARound(call, failures))) break;
  }
  throw failures.worst() ?? unasked(call);
}

/**
 * Whether to ask once more. While all services are restarting, waits for one of them as long as there is time. It does not
 * send the photo meanwhile, since the photo may be what crashed them.
 */
async function isWorthARound<T>(call: ServiceCall<T>, failures: FailedAttempts): Promise<boolean> {
  const { origins, deadlineAtMs, isReady } = call;
  if (isReady === undefined || !failures.areAllAway) {
    return failures.areWorthARetry && (await pauseBefore(deadlineAtMs));
  }
  const hasPaused = failures.areWorthARetry && (await pauseBefore(deadlineAtMs));
  const waited = await untilReady({ origins: origins.available(), deadlineAtMs, isReady });
  return waited === "after a while" || (hasPaused && waited === "at once"); // one that is ready and refuses is overloaded
}

/** Runs one round. Each origin gets its share of the time left, so that one which hangs leaves some to the next. */
async function tryEachOnce<T>(
  { origins, deadlineAtMs, fairMs, attempt }: ServiceCall<T>,
  failures: FailedAttempts,
): Promise<{ value: T } | undefined> {
  const available = origins.available();
  for (const [index, origin] of available.entries()) {
    const timeoutMs = Math.floor((deadlineAtMs - Date.now()) / (available.length - index));
    if (timeoutMs <= 0) break;
    const begunMs = Date.now();
    const isFair = timeoutMs >= fairMs;
    try {
      const answer = await attempt(origin, timeoutMs);
      origins.noteSuccess(origin);
      failures.countUnreachable({ except: origin });
      if ("value" in answer) return answer;
      if (!isWorthAnother(answer.refusal)) throw answer.refusal;
      failures.add(answer.refusal, { isFair });
    } catch (error) {
      if (!(error instanceof CaptionError) || !isWorthAnother(error)) throw error;
      failures.add(error, { isFair });
      // an origin that answered others meanwhile is alive: this photo is slow, not the service
      const isSilent = isFair && !origins.hasAnsweredSince(origin, begunMs);
      if (isUnreachable(error)) failures.noteUnreachable(origin, error);
      else if (error.code === "upstream_error" || isSilent) failures.countAgainst(origin, error);
    }
  }
  return undefined;
}

function isUnreachable({ cause }: CaptionError): boolean {
  return cause instanceof Unreachable;
}

/** Whether another service may do better, which it cannot if the photo is at fault. */
function isWorthAnother({ code }: CaptionError): boolean {
  return errorFacts[code].isWorthAnotherService === true;
}

/** Failed attempts at one request. However often an origin fails it, that counts against the origin once. */
class FailedAttempts {
  readonly #origins: ServiceOrigins;
  readonly #failures: CaptionError[] = [];
  readonly #counted = new Set<string>();
  readonly #unreachable = new Map<string, CaptionError>();

  constructor(origins: ServiceOrigins) {
    this.#origins = origins;
  }

  /** Adds a failure. Ignores a timeout after all were away, which only says that little time was left. */
  add(failure: CaptionError, { isFair }: { isFair: boolean }): void {
    if (failure.code !== "upstream_timeout" || isFair || !this.areAllAway) this.#failures.push(failure);
  }

  countAgainst(origin: string, error: CaptionError): void {
    if (!this.#counted.has(origin)) this.#origins.noteFailure(origin, error);
    this.#counted.add(origin);
  }

  noteUnreachable(origin: string, error: CaptionError): void {
    this.#unreachable.set(origin, error);
  }

  /** Counts unreachable origins as failed once another has answered. While none can be reached, resting them would prolong the outage. */
  countUnreachable({ except }: { except: string }): void {
    for (const [origin, error] of this.#unreachable) if (origin !== except) this.countAgainst(origin, error);
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

  /** The failure to report: the shortest wait of an overloaded service, or else the last failure. */
  worst(): CaptionError | undefined {
    const overloaded = this.#failures
      .filter(({ code }) => code === "overloaded")
      .toSorted((one, other) => (one.retryAfterSeconds ?? 0) - (other.retryAfterSeconds ?? 0));
    return overloaded[0] ?? this.#failures.at(-1);
  }
}

/** Pauses if there is time for a pause and another round. Returns whether there was. */
async function pauseBefore(deadlineAtMs: number): Promise<boolean> {
  const pauseMs = minPauseMs + Math.random() * (maxPauseMs - minPauseMs);
  if (Date.now() + pauseMs >= deadlineAtMs) return false;
  await scheduler.wait(pauseMs);
  return true;
}

interface ReadinessWait {
  origins: readonly string[];
  deadlineAtMs: number;
  isReady: (origin: string, timeoutMs: number) => Promise<boolean>;
}

/** Waits until one of the services is ready. Returns whether one was at once, after a while, or never in the time there is. */
async function untilReady({
  origins,
  deadlineAtMs,
  isReady,
}: ReadinessWait): Promise<"at once" | "after a while" | "never"> {
  for (let check = 0; origins.length > 0; check++) {
    const leftMs = deadlineAtMs - Date.now() - minCaptionMs;
    if (leftMs <= 0) break;
    const answers = await Promise.all(origins.map((origin) => isReady(origin, Math.min(checkTimeoutMs, leftMs))));
    if (answers.includes(true)) return check === 0 ? "at once" : "after a while";
    const pauseMs = Math.min(maxCheckPauseMs, firstCheckPauseMs * 2 ** check) * (0.5 + Math.random() / 2);
    await scheduler.wait(Math.min(pauseMs, Math.max(0, deadlineAtMs - Date.now())));
  }
  return "never";
}

function unasked({ origins }: Pick<ServiceCall<unknown>, "origins">): CaptionError {
  return origins.available().length > 0
    ? new CaptionError("upstream_timeout", "no time was left to ask the captioning service")
    : new CaptionError("upstream_error", "the captioning service failed a moment ago and is left alone for a while");
}
