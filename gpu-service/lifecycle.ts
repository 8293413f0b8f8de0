import type { ServerResponse } from "node:http";
import { CaptionError } from "../shared/errors.ts";
import type { Captioner } from "./captioner.ts";

/**
 * Who is let in, from start to end: nobody before the engine is warm, nobody once the service drains, and at most
 * `maxAdmitted` requests at once in between.
 */
export class Lifecycle {
  readonly #maxAdmitted: number;
  #captioner: Captioner | undefined;
  #isDraining = false;
  #admitted = 0;
  #onIdle: (() => void) | undefined;

  constructor({ maxAdmitted }: { maxAdmitted: number }) {
    this.#maxAdmitted = maxAdmitted;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  get admitted(): number {
    return this.#admitted;
  }

  /** Opens the doors: the engine is warm. */
  open(captioner: Captioner): void {
    this.#captioner = captioner;
  }

  /** The captioner, if a request would be let in now; throws `overloaded`. */
  expectReady(): Captioner {
    if (this.#isDraining) throw refusal("the service is draining: it takes no new requests");
    if (this.#captioner === undefined) throw refusal("the service is starting: its engine is not warm yet");
    return this.#captioner;
  }

  /** Lets one request in, until its response is sent or its client gone; throws `overloaded`. */
  admit(response: ServerResponse): Captioner {
    const captioner = this.expectReady();
    if (this.#admitted >= this.#maxAdmitted) throw refusal(`expected at most ${this.#maxAdmitted} requests at once`);
    this.#admitted += 1;
    response.once("close", () => {
      this.#admitted -= 1;
      if (this.#admitted === 0) this.#onIdle?.();
    });
    return captioner;
  }

  /** Shuts the doors; resolves when no admitted request is left. */
  drain(): Promise<void> {
    this.#isDraining = true;
    if (this.#admitted === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** Ends the engine, whatever it is doing. */
  async end(): Promise<void> {
    await this.#captioner?.close();
  }
}

function refusal(message: string): CaptionError {
  return new CaptionError("overloaded", message, { retryAfterSeconds: 1 });
}
