import { CaptionError } from "../../shared/errors.ts";
import type { Priority } from "../../shared/priority.ts";

/** The number of latest captions over which the rate is measured. */
const rateWindow = 32;
const longestRetrySeconds = 60;

export interface AdmissionLimits {
  maxRequests: number;
  maxBytes: number;
  /** Share of both, above 0 and at most 1, that requests of bulk priority may take together; at least one request. */
  bulkShare: number;
}

interface Admitted {
  priority: Priority;
  bytes: number;
}

/** An admitted request's share of the limits. */
export interface Reservation {
  /** Aborts when the service gives up on the request. */
  readonly signal: AbortSignal;
  /** Corrects the reserved bytes; has no effect after `release`. */
  resize(bytes: number): void;
  /** Frees the reservation; further calls have no effect. */
  release(): void;
}

/** Admits requests up to a number and a sum of photo bytes, before their bodies are read. Bulk gets a share of both. */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #rate = new CaptionRate();
  /** The controllers that abort admitted requests. */
  readonly #admitted = new Map<AbortController, Admitted>();
  #onIdle: (() => void)[] = [];

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  get requests(): number {
    return this.#admitted.size;
  }

  requestsOf(priority: Priority): number {
    return this.#of(priority).length;
  }

  /** The sum of the photos' bytes of admitted requests, or of what each may come to while its body is not read. */
  get bytes(): number {
    return bytesOf([...this.#admitted.values()]);
  }

  /** Admits a request with a photo of so many bytes. Throws `overloaded`, with the time in which the admitted ones will be done. */
  admit(bytes: number, priority: Priority = "interactive"): Reservation {
    this.#expectRoom(bytes, priority);
    if (this.requests === 0) this.#rate.start();
    const controller = new AbortController();
    const admitted = { priority, bytes };
    this.#admitted.set(controller, admitted);
    return {
      signal: controller.signal,
      resize: (better) => {
        admitted.bytes = better;
      },
      release: () => {
        if (!this.#admitted.delete(controller)) return;
        if (this.requests === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
      },
    };
  }

  /** Counts a caption, by which the rate is measured. */
  countCaption(): void {
    this.#rate.count();
  }

  /** Aborts all admitted requests with this reason. They keep their reservations until their answers are sent. */
  giveUp(reason: CaptionError): void {
    for (const controller of this.#admitted.keys()) controller.abort(reason);
  }

  /** Resolves when no request is admitted. */
  untilIdle(): Promise<void> {
    if (this.requests === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle.push(resolve);
    });
  }

  #expectRoom(bytes: number, priority: Priority): void {
    const { maxRequests, maxBytes, bulkShare } = this.#limits;
    if (this.requests >= maxRequests) throw this.#refusal(`expected at most ${maxRequests} requests at once`);
    if (this.bytes + bytes > maxBytes) throw this.#refusal(`expected at most ${maxBytes} bytes of photos at once`);
    if (priority !== "bulk") return;
    const bulk = this.#of("bulk");
    const most = Math.max(1, Math.floor(maxRequests * bulkShare));
    if (bulk.length >= most) throw this.#refusal(`expected at most ${most} requests of bulk priority at once`);
    const mostBytes = Math.floor(maxBytes * bulkShare);
    if (bulk.length === 0 || bytesOf(bulk) + bytes <= mostBytes) return; // a large one alone is no burden
    throw this.#refusal(`expected at most ${mostBytes} bytes of photos of bulk priority at once`);
  }

  #of(priority: Priority): Admitted[] {
    return [...this.#admitted.values()].filter((admitted) => admitted.priority === priority);
  }

  #refusal(message: string): CaptionError {
    const seconds = Math.ceil(this.requests / this.#rate.perSecond);
    return new CaptionError("overloaded", message, {
      retryAfterSeconds: Math.min(longestRetrySeconds, Math.max(1, seconds)),
    });
  }
}

function bytesOf(admitted: readonly Admitted[]): number {
  return admitted.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Captions per second, over the latest ones since the service was last idle. */
class CaptionRate {
  /** Times of the window's captions, the first being the start of the busy period if that is in the window. */
  #times: number[] = [];
  /** The rate of the busy period before; unlimited before the first. */
  #previous = Number.POSITIVE_INFINITY;

  start(): void {
    this.#previous = this.perSecond;
    this.#times = [performance.now()];
  }

  count(): void {
    this.#times.push(performance.now());
    if (this.#times.length > rateWindow) this.#times.shift();
  }

  /** Falls while no caption is made. */
  get perSecond(): number {
    const [first = 0] = this.#times;
    const captions = this.#times.length - 1;
    return captions < 1 ? this.#previous : (captions * 1000) / (performance.now() - first);
  }
}
