import { CaptionError } from "../shared/errors.ts";

/** A body of which nothing has arrived for this long gives way to others when there is no room. */
const standstillMs = 2_000;
/** What one caller may hold for each byte that is still free: two thirds of an empty pool. */
const heldPerFreeByte = 2;

/**
 * Memory that the requests of one isolate share. A caller may hold twice what is free, so however many callers come, there
 * is room left for the next one, and a small upload passes where a large one is refused.
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

  /** An empty share for one request. Whoever takes it releases it, whatever happens in between. */
  holdFor(caller: string): BufferHold {
    const hold = new BufferHold({ caller, pool: this });
    this.#holds.add(hold);
    return hold;
  }

  /** Makes room where there is none by having bodies that stand still give way, the largest first. */
  makeRoom(hold: BufferHold, growth: number): void {
    while (!this.#hasRoom(hold, { growth })) {
      const [largest] = this.#standingStill(hold).toSorted((one, other) => other.bytes - one.bytes);
      if (largest === undefined) throw tooManyUploads();
      largest.giveWay();
    }
  }

  /** Whether there is or could be room. */
  couldMakeRoom(hold: BufferHold, growth: number): boolean {
    return this.#hasRoom(hold, { growth, besides: this.#standingStill(hold) });
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
    { growth, besides = [] }: { growth: number; besides?: readonly BufferHold[] },
  ): boolean {
    const ofCaller = besides.filter((other) => other.caller === caller);
    const held = (this.#bytesOf.get(caller) ?? 0) - sumOf(ofCaller) + growth;
    return held <= heldPerFreeByte * (this.#maxBytes - this.#bytes + sumOf(besides) - growth);
  }

  #standingStill(hold: BufferHold): BufferHold[] {
    return [...this.#holds].filter((other) => other !== hold && other.isStandingStill);
  }
}

/** One request's share of a pool. */
export class BufferHold {
  readonly caller: string;
  readonly #pool: BufferPool;
  #bytes = 0;
  #grewAtMs = Date.now();
  #state: "arriving" | "arrived" | "gave way" = "arriving";
  #drop: () => void = () => undefined;

  constructor({ caller, pool }: { caller: string; pool: BufferPool }) {
    this.caller = caller;
    this.#pool = pool;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isStandingStill(): boolean {
    return this.#state === "arriving" && this.#bytes > 0 && Date.now() - this.#grewAtMs >= standstillMs;
  }

  /** Throws `overloaded` where so many bytes would find no room now. Takes none: what is declared may never arrive. */
  expectRoomFor(bytes: number): void {
    if (!this.#pool.couldMakeRoom(this, Math.max(0, bytes - this.#bytes))) throw tooManyUploads();
  }

  /** Counts this request at `bytes` in all. Throws `overloaded` where there is no room for it, or it has given way. */
  growTo(bytes: number): void {
    this.expectItsPlace();
    this.#grewAtMs = Date.now();
    if (bytes <= this.#bytes) return;
    this.#pool.makeRoom(this, bytes - this.#bytes);
    this.#set(bytes);
  }

  /** Takes what frees the memory itself. Another request calls it, so it must not touch this one's streams. */
  onGivingWay(drop: () => void): void {
    this.#drop = drop;
  }

  /** Throws `overloaded` if this request has given way to another. */
  expectItsPlace(): void {
    if (this.#state === "gave way") throw tooManyUploads();
  }

  /** Notes that all has arrived: what is in use gives way to nobody. */
  settle(): void {
    this.expectItsPlace();
    this.#state = "arrived";
  }

  giveWay(): void {
    this.#state = "gave way";
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
