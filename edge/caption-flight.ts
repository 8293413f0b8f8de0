import { DurableObject, RpcTarget } from "cloudflare:workers";
import type { Priority } from "../shared/priority.ts";
import type { Stored } from "./layered-store.ts";

/**
 * Longest time for which later callers get a finished result: for a minute, KV may still say that it has none. The runtime
 * removes an idle object from memory sooner, after about ten seconds, and the photo is then captioned again; a timer
 * that kept the object would be billed.
 */
const keptMs = 90_000;
/** Time from its holder's deadline to the end of a lease, during which the result may still be on its way. */
const leaseGraceMs = 1_000;

/** Outcome of joining: the result, the lease to make it, or a timeout. */
export type Ticket =
  | { kind: "result"; result: Stored; isKept: boolean }
  | { kind: "lease"; lease: FlightLease }
  | { kind: "timeout" };

interface Caller {
  waitMs: number;
  priority: Priority;
}

interface Waiter {
  priority: Priority;
  deadlineAtMs: number;
  resolve: (ticket: Ticket) => void;
}

/**
 * Captions of one photo that are being made: photo and revision name the object, the query names each caption. It never sees
 * a photo and stores nothing: an object that was restarted, or removed from memory, starts new flights.
 */
export class CaptionFlight extends DurableObject {
  readonly #flights = new Map<string, Flight>();

  /** Resolves within `waitMs`. */
  join({ query, ...caller }: Caller & { query: string }): Promise<Ticket> {
    const flight = this.#flights.get(query) ?? new Flight();
    this.#flights.set(query, flight);
    return flight.join(caller);
  }

  /** Forgets results when a photo's captions are deleted. Requests that wait for a pending run still get its result; later ones do not. */
  forget(): void {
    for (const flight of this.#flights.values()) flight.isForgotten = true;
    this.#flights.clear();
  }
}

/**
 * One caption being made. One caller gets the lease and the others wait; when a lease ends without a result, the next caller
 * gets one. A person does not wait for a job's photo, which lets people pass in the service: the first gets a lease beside the
 * job's, and all get the result that comes first.
 */
class Flight {
  isForgotten = false;
  readonly #leases = new Map<Priority, FlightLease>();
  #waiters: Waiter[] = [];
  #finished: { result: Stored; untilMs: number } | null = null;

  join({ waitMs, priority }: Caller): Promise<Ticket> {
    if (this.#finished !== null && Date.now() < this.#finished.untilMs) {
      return Promise.resolve({ kind: "result", result: this.#finished.result, isKept: true });
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#leave(waiter), waitMs);
      const waiter: Waiter = {
        priority,
        deadlineAtMs: Date.now() + waitMs,
        resolve: (ticket) => {
          clearTimeout(timer);
          resolve(ticket);
        },
      };
      this.#waiters.push(waiter);
      this.#leaseToNext();
    });
  }

  #leaseToNext(): void {
    if (this.#leases.has("interactive")) return;
    const isPerson = ({ priority }: Waiter) => priority === "interactive";
    const next = this.#waiters.find(isPerson) ?? (this.#leases.has("bulk") ? undefined : this.#waiters[0]);
    if (next === undefined) return;
    this.#waiters = this.#waiters.filter((waiter) => waiter !== next);
    const lease = new FlightLease({
      ms: next.deadlineAtMs - Date.now() + leaseGraceMs,
      onFinish: (result, isKept) => this.#finish(result, isKept),
      onEnd: () => this.#end(next.priority, lease),
    });
    this.#leases.set(next.priority, lease);
    next.resolve({ kind: "lease", lease });
  }

  #finish(result: Stored, mayBeKept: boolean): void {
    const isKept = mayBeKept && !this.isForgotten;
    if (isKept) this.#finished = { result, untilMs: Date.now() + keptMs };
    for (const { resolve } of this.#waiters.splice(0)) resolve({ kind: "result", result, isKept });
  }

  #end(priority: Priority, lease: FlightLease): void {
    if (this.#leases.get(priority) !== lease) return;
    this.#leases.delete(priority);
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

/** The right to make a flight's result, for a limited time. It ends when its holder disposes of it or is gone. */
class FlightLease extends RpcTarget {
  readonly #parts: LeaseParts;
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(parts: LeaseParts) {
    super();
    this.#parts = parts;
    this.#timer = setTimeout(parts.onEnd, parts.ms);
  }

  /** Hands the result to all waiting callers. One that `isKept` also goes to callers who come soon after, and may be stored. */
  finish(result: Stored, { isKept }: { isKept: boolean }): void {
    this.#parts.onFinish(result, isKept);
    this.#end();
  }

  /** Called by the runtime when the holder has disposed of its stub, or its request is gone. */
  [Symbol.dispose](): void {
    this.#end();
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#parts.onEnd();
  }
}
