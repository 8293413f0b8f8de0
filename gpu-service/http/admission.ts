import { CaptionError } from "../../shared/errors.ts";

/** Captions that the pace is taken from. */
const paceWindow = 32;
const longestRetrySeconds = 60;

interface AdmissionSettings {
  maxRequests: number;
  maxBytes: number;
}

/** A request's place among those that are admitted. */
export interface Place {
  /** Aborts when its request is given up on. */
  readonly signal: AbortSignal;
  /** Its bytes are known better now; of no effect once it is given back. */
  resize(bytes: number): void;
  /** Gives the place back, once. */
  release(): void;
}

/** Lets requests in, so many and so many bytes of photos at once, before anything of them is read. */
export class Admission {
  readonly #settings: AdmissionSettings;
  readonly #pace = new Pace();
  /** What gives up on each request that is admitted. */
  readonly #admitted = new Set<AbortController>();
  #bytes = 0;
  #onIdle: (() => void)[] = [];

  constructor(settings: AdmissionSettings) {
    this.#settings = settings;
  }

  get requests(): number {
    return this.#admitted.size;
  }

  /** Of the photos of admitted requests: what has come whole, and what the others may come to. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a place for a photo of so many bytes. Throws `overloaded`, with the time in which those in hand will be done. */
  admit(bytes: number): Place {
    const { maxRequests, maxBytes } = this.#settings;
    if (this.requests >= maxRequests) throw this.#refusal(`expected at most ${maxRequests} requests at once`);
    if (this.#bytes + bytes > maxBytes) throw this.#refusal(`expected at most ${maxBytes} bytes of photos at once`);
    if (this.requests === 0) this.#pace.begin();
    const givingUp = new AbortController();
    this.#admitted.add(givingUp);
    this.#bytes += bytes;
    let held = bytes;
    return {
      signal: givingUp.signal,
      resize: (better) => {
        if (!this.#admitted.has(givingUp)) return;
        this.#bytes += better - held;
        held = better;
      },
      release: () => {
        if (!this.#admitted.delete(givingUp)) return;
        this.#bytes -= held;
        if (this.requests === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
      },
    };
  }

  /** A request had its caption: what the pace is told by. */
  countCaption(): void {
    this.#pace.step();
  }

  /** Gives up on all requests that are admitted, for this reason. They keep their places until their answers are sent. */
  giveUp(reason: CaptionError): void {
    for (const givingUp of this.#admitted) givingUp.abort(reason);
  }

  /** Resolves when no request is admitted. */
  untilIdle(): Promise<void> {
    if (this.requests === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle.push(resolve);
    });
  }

  #refusal(message: string): CaptionError {
    const seconds = Math.ceil(this.requests / this.#pace.perSecond);
    return new CaptionError("overloaded", message, {
      retryAfterSeconds: Math.min(longestRetrySeconds, Math.max(1, seconds)),
    });
  }
}

/** How many captions a second, over the last of a time without pause. */
class Pace {
  /** When that time began, or the first of the window was made, and each since. */
  #times: number[] = [];
  /** Of the time before; unlimited before the first. */
  #before = Number.POSITIVE_INFINITY;

  begin(): void {
    this.#before = this.perSecond;
    this.#times = [performance.now()];
  }

  step(): void {
    this.#times.push(performance.now());
    if (this.#times.length > paceWindow) this.#times.shift();
  }

  /** Falls while nothing is made. */
  get perSecond(): number {
    const [first = 0] = this.#times;
    const made = this.#times.length - 1;
    return made < 1 ? this.#before : (made * 1000) / (performance.now() - first);
  }
}
