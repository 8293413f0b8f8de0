import { CaptionError } from "../shared/errors.ts";

/** Requests whose ends the pace is taken from. */
const paceWindow = 32;
const longestRetrySeconds = 60;

interface AdmissionSettings {
  maxRequests: number;
  maxBytes: number;
}

/** A request's place among those that are admitted. */
export interface Place {
  /** Its bytes are known better now. */
  resize(bytes: number): void;
  /** Gives the place back, once. */
  release(): void;
}

/** Lets requests in, so many and so many bytes of photos at once, before anything of them is read. */
export class Admission {
  readonly #settings: AdmissionSettings;
  readonly #pace = new Pace();
  #requests = 0;
  #bytes = 0;
  #onIdle: (() => void) | undefined;

  constructor(settings: AdmissionSettings) {
    this.#settings = settings;
  }

  get requests(): number {
    return this.#requests;
  }

  /** Of the photos of admitted requests, as far as they are known: what they declare, or what has come. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a place for a photo of so many bytes. Throws `overloaded`, with the time in which those in hand will be done. */
  admit(bytes: number): Place {
    const { maxRequests, maxBytes } = this.#settings;
    if (this.#requests >= maxRequests) throw this.#refusal(`expected at most ${maxRequests} requests at once`);
    if (this.#bytes + bytes > maxBytes) throw this.#refusal(`expected at most ${maxBytes} bytes of photos at once`);
    if (this.#requests === 0) this.#pace.begin();
    this.#requests += 1;
    this.#bytes += bytes;
    let held = bytes;
    let isReleased = false;
    return {
      resize: (better) => {
        this.#bytes += better - held;
        held = better;
      },
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#leave(held);
      },
    };
  }

  /** Resolves when no request is admitted. */
  untilIdle(): Promise<void> {
    if (this.#requests === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  #leave(bytes: number): void {
    this.#bytes -= bytes;
    this.#requests -= 1;
    this.#pace.step();
    if (this.#requests === 0) this.#onIdle?.();
  }

  #refusal(message: string): CaptionError {
    const seconds = Math.ceil(this.#requests / this.#pace.perSecond);
    return new CaptionError("overloaded", message, {
      retryAfterSeconds: Math.min(longestRetrySeconds, Math.max(1, seconds)),
    });
  }
}

/** How many requests end a second, over the last of a time without pause. */
class Pace {
  /** When that time began, or the first of the window ended, and each end since. */
  #times: number[] = [];
  #perSecond = Number.POSITIVE_INFINITY;

  begin(): void {
    this.#times = [performance.now()];
  }

  step(): void {
    this.#times.push(performance.now());
    if (this.#times.length > paceWindow) this.#times.shift();
    const [first = 0] = this.#times;
    this.#perSecond = ((this.#times.length - 1) * 1000) / (performance.now() - first);
  }

  /** Of the time before, until there is a newer one; unlimited before the first. */
  get perSecond(): number {
    return this.#perSecond;
  }
}
