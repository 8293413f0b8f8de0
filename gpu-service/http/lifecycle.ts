import type { Captioner } from "../../captioner/captioner.ts";
import { CaptionError } from "../../shared/errors.ts";
import type { Priority } from "../../shared/priority.ts";
import { Admission, type AdmissionLimits, type Reservation } from "./admission.ts";

/** Admits requests only while the service is open: after its engines are warm and before it drains. */
export class Lifecycle {
  readonly admission: Admission;
  #captioner: Captioner | undefined;
  #isDraining = false;

  constructor(limits: AdmissionLimits) {
    this.admission = new Admission(limits);
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** The captioner; undefined until its engines are warm. */
  get captioner(): Captioner | undefined {
    return this.#captioner;
  }

  /** Opens the service: the captioner's engines are warm. */
  open(captioner: Captioner): void {
    this.#captioner = captioner;
  }

  /** The captioner. Throws `overloaded` if the service is not open. */
  expectOpen(): Captioner {
    if (this.#isDraining) throw refusal("the service is draining: it takes no new requests");
    if (this.#captioner === undefined) throw refusal("the service is starting: its engine is not warm yet");
    return this.#captioner;
  }

  /** The same; also throws `overloaded` if no engine is ready at this moment. */
  expectReady(): Captioner {
    const captioner = this.expectOpen();
    if (captioner.state().engines.ready === 0) throw refusal("the service's engine is being replaced");
    return captioner;
  }

  /** Admits a request with a photo of so many bytes. Throws `overloaded`. */
  admit(bytes: number, priority: Priority): { captioner: Captioner; reservation: Reservation } {
    return { captioner: this.expectOpen(), reservation: this.admission.admit(bytes, priority) };
  }

  /** Closes the service to new requests; resolves when no admitted request is left. */
  drain(): Promise<void> {
    this.#isDraining = true;
    return this.admission.untilIdle();
  }

  /** Answers all admitted requests with `overloaded`, at once. */
  giveUp(): void {
    this.admission.giveUp(refusal("the service ends: there was no time left for this photo"));
  }

  /** Kills the engines. */
  async end(): Promise<void> {
    await this.#captioner?.close();
  }
}

function refusal(message: string): CaptionError {
  return new CaptionError("overloaded", message, { retryAfterSeconds: 1 });
}
