import { CaptionError } from "../shared/errors.ts";

/** A body that has received nothing for this long may be evicted when there is no room. */
const stallMs = 2_000;
/** Bytes that one caller may hold per free byte, which is two thirds of an empty pool. */
const heldPerFreeByte = 2;

/**
 * Memory that the requests of one isolate share. A caller may hold twice what is free, so however many callers come, there
 * is room left for the next one, and a small upload is accepted when a large one is refused.
 */
export class BufferPool {
  readonly #maxBytes: number;
  readonly #holds = new Set<BufferHold>();
  readonly #bytesOf = new Map<string, number>();
  #bytes = 0;

  constructor({ maxBytes }: { maxBytes: number }) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes that all requests hold at present. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Creates an empty share for one request. The caller releases it, whatever happens in between. */
  holdFor(caller: string): BufferHold {
    const hold = new BufferHold({ caller, pool: this });
    this.#holds.add(hold);
    return hold;
  }

  /** Makes room by evicting stalled bodies, the largest first. Throws `overloaded` when that is not enough. */
  makeRoom(hold: BufferHold, growth: number): void {
    while (!this.#hasRoom(hold, { growth })) {
      const [largest] = this.#stalled(hold).toSorted((one, other) => other.bytes - one.bytes);
      if (largest === undefined) throw tooManyUploads();
      largest.evict();
    }
  }

  /** Whether there is room, or would be after evictions. */
  couldMakeRoom(hold: BufferHold, growth: number): boolean {
    return this.#hasRoom(hold, { growth, without: this.#stalled(hold) });
  }

  /** Counts what a hold has taken or given back. */
  count({ caller }: BufferHold, growth: number): void {
    this.#bytes += growth;
    const bytes = (this.#bytesOf.get(caller) ?? 0) + growth;
    if (bytes > 0) this.#bytesOf.set(caller, bytes);
    else this.#bytesOf.delete(caller);
  }

  forget(hold: BufferHold): void {
    this.#holds.delete(hold);
  }

  #hasRoom(
    { caller }: BufferHold,
    { growth, without = [] }: { growth: number; without?: readonly BufferHold[] },
  ): boolean {
    const ofCaller = without.filter((other) => other.caller === caller);
    const held = (this.#bytesOf.get(caller) ?? 0) - sumOf(ofCaller) + growth;
    return held <= heldPerFreeByte * (this.#maxBytes - this.#bytes + sumOf(without) - growth);
  }

  #stalled(hold: BufferHold): BufferHold[] {
    return [...this.#holds].filter((other) => other !== hold && other.isStalled);
  }
}

/** One request's share of a pool. */
export class BufferHold {
  readonly caller: string;
  readonly #pool: BufferPool;
  #bytes = 0;
  #grewAtMs = Date.now();
  #state: "arriving" | "complete" | "evicted" = "arriving";
  #drop: () => void = () => undefined;

  constructor({ caller, pool }: { caller: string; pool: BufferPool }) {
    this.caller = caller;
    this.#pool = pool;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isStalled(): boolean {
    return this.#state === "arriving" && this.#bytes > 0 && Date.now() - this.#grewAtMs >= stallMs;
  }

  /** Throws `overloaded` if there is no room for so many bytes now. Reserves none, since what is declared may never arrive. */
  expectRoomFor(bytes: number): void {
    if (!this.#pool.couldMakeRoom(this, Math.max(0, bytes - this.#bytes))) throw tooManyUploads();
  }

  /** Counts this request at `bytes` in all. Throws `overloaded` if there is no room, or the request was evicted. */
  growTo(bytes: number): void {
    this.expectNotEvicted();
    this.#grewAtMs = Date.now();
    if (bytes <= this.#bytes) return;
    this.#pool.makeRoom(this, bytes - this.#bytes);
    this.#set(bytes);
  }

  /** Registers what frees the memory itself. Another request calls it, so it must not touch this one's streams. */
  onEviction(drop: () => void): void {
    this.#drop = drop;
  }

  /** Throws `overloaded` if this request was evicted. */
  expectNotEvicted(): void {
    if (this.#state === "evicted") throw tooManyUploads();
  }

  /** Notes that the whole body has arrived, which protects it from eviction. */
  complete(): void {
    this.expectNotEvicted();
    this.#state = "complete";
  }

  /** Starts again for another body, after the previous one was released. */
  restart(): void {
    this.expectNotEvicted();
    this.#state = "arriving";
    this.#grewAtMs = Date.now();
    this.#set(0);
  }

  evict(): void {
    this.#state = "evicted";
    this.#set(0);
    this.#drop();
  }

  release(): void {
    this.#set(0);
    this.#pool.forget(this);
  }

  #set(bytes: number): void {
    this.#pool.count(this, bytes - this.#bytes);
    this.#bytes = bytes;
  }
}

function sumOf(holds: readonly BufferHold[]): number {
  return holds.reduce((sum, { bytes }) => sum + bytes, 0);
}

function tooManyUploads(): CaptionError {
  return new CaptionError("overloaded", "too many uploads are under way here, try again in a moment", {
    retryAfterSeconds: 1,
  });
}
