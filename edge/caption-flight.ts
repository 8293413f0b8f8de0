import { DurableObject, RpcTarget } from "cloudflare:workers";
import type { Stored } from "./layered-store.ts";

/**
 * For how long at most a finished result is handed to whoever still comes: KV may go on for a minute about what it had not.
 * The runtime takes an object that nobody calls out of memory before that, after some ten seconds; then the photo is
 * captioned once more. Holding on to it by a timer would be billed.
 */
const keptMs = 90_000;
/** Beyond its holder's deadline a lease is given up on; the result may still be on its way before that. */
const leaseGraceMs = 1_000;

/** What a caller gets for joining: the result, or the lease to make it, or word that its time is up. */
export type Ticket = { kind: "result"; result: Stored } | { kind: "lease"; lease: FlightLease } | { kind: "timeout" };

interface Waiter {
  deadlineAtMs: number;
  resolve: (ticket: Ticket) => void;
}

/**
 * One caption being made: photo, revision and options name the object. It hands a lease to one caller and lets the others
 * wait; a lease that ends without a result goes to the next of them. It never sees a photo and stores nothing: an object that
 * was restarted, or taken out of memory, starts a new flight.
 */
export class CaptionFlight extends DurableObject {
  #lease: FlightLease | null = null;
  #waiters: Waiter[] = [];
  #finished: { result: Stored; untilMs: number } | null = null;

  /** Resolves within `waitMs`. */
  join({ waitMs }: { waitMs: number }): Promise<Ticket> {
    if (this.#finished !== null && Date.now() < this.#finished.untilMs) {
      return Promise.resolve({ kind: "result", result: this.#finished.result });
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#leave(waiter), waitMs);
      const waiter: Waiter = {
        deadlineAtMs: Date.now() + waitMs,
        resolve: (ticket) => {
          clearTimeout(timer);
          resolve(ticket);
        },
      };
      this.#waiters.push(waiter);
      if (this.#lease === null) this.#leaseToNext();
    });
  }

  /** For a photo whose captions are deleted. A run under way still reaches those who wait for it. */
  forget(): void {
    this.#finished = null;
  }

  #leaseToNext(): void {
    const next = this.#waiters.shift();
    if (next === undefined) return;
    const lease = new FlightLease({
      ms: next.deadlineAtMs - Date.now() + leaseGraceMs,
      onFinish: (result, isKept) => this.#finish(result, isKept),
      onEnd: () => this.#end(lease),
    });
    this.#lease = lease;
    next.resolve({ kind: "lease", lease });
  }

  #finish(result: Stored, isKept: boolean): void {
    if (isKept) this.#finished = { result, untilMs: Date.now() + keptMs };
    for (const { resolve } of this.#waiters.splice(0)) resolve({ kind: "result", result });
  }

  #end(lease: FlightLease): void {
    if (this.#lease !== lease) return;
    this.#lease = null;
    this.#leaseToNext();
  }

  #leave(waiter: Waiter): void {
    this.#waiters = this.#waiters.filter((other) => other !== waiter);
    waiter.resolve({ kind: "timeout" });
  }
}

interface LeaseParts {
  ms: number;
  onFinish: (result: Stored, isKept: boolean) => void;
  onEnd: () => void;
}

/** The right to make a flight's result, for a limited time. Ends when its holder lets go of it, or is no more. */
export class FlightLease extends RpcTarget {
  readonly #parts: LeaseParts;
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(parts: LeaseParts) {
    super();
    this.#parts = parts;
    this.#timer = setTimeout(parts.onEnd, parts.ms);
  }

  /** Hands the result to all who wait; one that `isKept` also goes to those who come soon after. */
  finish(result: Stored, { isKept }: { isKept: boolean }): void {
    this.#parts.onFinish(result, isKept);
    this.#end();
  }

  /** Called by the runtime when the holder has disposed of its stub, or the holder's request is gone. */
  [Symbol.dispose](): void {
    this.#end();
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#parts.onEnd();
  }
}
