import type { Captioner } from "../../captioner/captioner.ts";
import { CaptionError } from "../../shared/errors.ts";
import { Admission, type Place } from "./admission.ts";

/** Who is let in, from start to end: nobody before the engine is warm, nobody once the service drains. */
export class Lifecycle {
  readonly admission: Admission;
  #captioner: Captioner | undefined;
  #isDraining = false;

  constructor(limits: { maxRequests: number; maxBytes: number }) {
    this.admission = new Admission(limits);
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Undefined until its engines are warm. */
  get captioner(): Captioner | undefined {
    return this.#captioner;
  }

  /** Opens the doors: the engines are warm. */
  open(captioner: Captioner): void {
    this.#captioner = captioner;
  }

  /** The captioner, if requests are taken now; throws `overloaded`. */
  expectOpen(): Captioner {
    if (this.#isDraining) throw refusal("the service is draining: it takes no new requests");
    if (this.#captioner === undefined) throw refusal("the service is starting: its engine is not warm yet");
    return this.#captioner;
  }

  /** The same, if an engine is there to answer at this moment; throws `overloaded`. */
  expectReady(): Captioner {
    const captioner = this.expectOpen();
    if (captioner.state().engines.ready === 0) throw refusal("the service's engine is being replaced");
    return captioner;
  }

  /** Lets a request in with a photo of so many bytes; throws `overloaded`. */
  admit(bytes: number): { captioner: Captioner; place: Place } {
    return { captioner: this.expectOpen(), place: this.admission.admit(bytes) };
  }

  /** Shuts the doors; resolves when no admitted request is left. */
  drain(): Promise<void> {
    this.#isDraining = true;
    return this.admission.untilIdle();
  }

  /** Has what is still in hand answered with `overloaded`, at once. */
  giveUp(): void {
    this.admission.giveUp(refusal("the service ends: there was no time left for this photo"));
  }

  /** Ends the engines, whatever they are doing. */
  async end(): Promise<void> {
    await this.#captioner?.close();
  }
}

function refusal(message: string): CaptionError {
  return new CaptionError("overloaded", message, { retryAfterSeconds: 1 });
}
