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
export type Ticket =
  | { kind: "result"; result: Stored; isKept: boolean }
  | { kind: "lease"; lease: FlightLease }
  | { kind: "timeout" };

interface Waiter {
  deadlineAtMs: number;
  resolve: (ticket: Ticket) => void;
}

/**
 * A photo's captions being made: photo and revision name the object, the query each caption. It never sees a photo and stores
 * nothing: an object that was restarted, or taken out of memory, starts new flights.
 */
export class CaptionFlight extends DurableObject {
  readonly #flights = new Map<string, Flight>();

  /** Resolves within `waitMs`. */
  join({ query, waitMs }: { query: string; waitMs: number }): Promise<Ticket> {
    const flight = this.#flights.get(query) ?? new Flight();
    this.#flights.set(query, flight);
    return flight.join(waitMs);
  }

  /** For a photo whose captions are deleted. Runs under way still reach those who wait for them, but nobody who comes later. */
  forget(): void {
    for (const flight of this.#flights.values()) flight.isForgotten = true;
    this.#flights.clear();
  }
}

/** One caption being made. Hands a lease to one caller and lets the others wait; a lease that ends without a result goes to the next of them. */
class Flight {
  isForgotten = false;
  #lease: FlightLease | null = null;
  #waiters: Waiter[] = [];
  #finished: { result: Stored; untilMs: number } | null = null;

  join(waitMs: number): Promise<Ticket> {
    if (this.#finished !== null && Date.now() < this.#finished.untilMs) {
      return Promise.resolve({ kind: "result", result: this.#finished.result, isKept: true });
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

  #finish(result: Stored, mayBeKept: boolean): void {
    const isKept = mayBeKept && !this.isForgotten;
    if (isKept) this.#finished = { result, untilMs: Date.now() + keptMs };
    for (const { resolve } of this.#waiters.splice(0)) resolve({ kind: "result", result, isKept });
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
  onFinish: (result: Stored, mayBeKept: boolean) => void;
  onEnd: () => void;
}

/** The right to make a flight's result, for a limited time. Ends when its holder lets go of it, or is no more. */
class FlightLease extends RpcTarget {
  readonly #parts: LeaseParts;
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(parts: LeaseParts) {
    super();
    this.#parts = parts;
    this.#timer = setTimeout(parts.onEnd, parts.ms);
  }

  /** Hands the result to all who wait; one that `isKept` also goes to those who come soon after, and may be stored. */
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
