import { CaptionError } from "../shared/errors.ts";
import { EngineLost } from "./engines/engine-process.ts";

interface BatcherSettings<Item, Result> {
  maxBatch: number;
  /** How long a batch that is not full waits while more items are coming. */
  maxWaitMs: number;
  /** Whether items are being prepared that may still join a batch. */
  isMoreComing(): boolean;
  workers: {
    /** Whether a worker would take a batch now: a free one, or for a full batch one that is about to be free. */
    canTake(batch: { isFull: boolean }): boolean;
    /** Occupies that worker at once. Returns one result per item, in the same order. */
    run(items: readonly Item[]): Promise<Result[]>;
  };
  /** Called for each item of a lost worker. Returns whether another worker may run it. */
  onLoss(item: Item): boolean;
}

interface QueuedItem<Item, Result> {
  readonly item: Item;
  readonly sinceMs: number;
  /** Whether a worker was lost while it ran this item. */
  isSuspect: boolean;
  isSettled: boolean;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/**
 * Gathers items into batches, one per free worker, first come first served: whatever has come while the workers were busy
 * makes the next batch. Items whose worker was lost run again, each alone, so that an item that kills its worker affects no
 * other.
 */
export class Batcher<Item, Result> {
  readonly #settings: BatcherSettings<Item, Result>;
  readonly #waiting: QueuedItem<Item, Result>[] = [];
  #timer: NodeJS.Timeout | undefined;
  #stopped: Error | undefined;

  constructor(settings: BatcherSettings<Item, Result>) {
    this.#settings = settings;
  }

  /** Items that no worker has taken yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Runs an item. Rejects with the signal's reason as soon as it aborts; an item that still waits then never reaches a
   * worker. Rejects with `EngineLost` when its worker was lost and no other may run it.
   */
  push(item: Item, signal?: AbortSignal): Promise<Result> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    return new Promise((resolve, reject) => {
      const abort = () => {
        settle(() => reject(signal?.reason));
        this.#remove(waiting);
      };
      const settle = (how: () => void) => {
        waiting.isSettled = true;
        signal?.removeEventListener("abort", abort);
        how();
      };
      const waiting: QueuedItem<Item, Result> = {
        item,
        sinceMs: performance.now(),
        isSuspect: false,
        isSettled: false,
        resolve: (result) => settle(() => resolve(result)),
        reject: (error) => settle(() => reject(error)),
      };
      signal?.addEventListener("abort", abort);
      this.#waiting.push(waiting);
      this.pump();
    });
  }

  /** Starts the batches that can be started. Call it when a worker becomes free. */
  pump(): void {
    clearTimeout(this.#timer);
    const { workers } = this.#settings;
    while (this.#waiting.length > 0 && workers.canTake({ isFull: this.#isNextFull() })) {
      const remainingMs = this.#remainingWaitMs();
      if (remainingMs > 0) {
        this.#timer = setTimeout(() => this.pump(), remainingMs);
        return;
      }
      void this.#run(this.#nextBatch());
    }
  }

  /** Rejects the items that wait and all later ones. Items that are running finish. */
  stop(reason: Error): void {
    this.#stopped = reason;
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
  }

  #isNextFull(): boolean {
    const { maxBatch } = this.#settings;
    const next = this.#waiting.slice(0, maxBatch);
    return next.length === maxBatch && !next.some(({ isSuspect }) => isSuspect);
  }

  /** How long the next batch may still wait for more items. */
  #remainingWaitMs(): number {
    const { maxWaitMs, isMoreComing } = this.#settings;
    const [oldest] = this.#waiting;
    if (oldest === undefined || oldest.isSuspect || this.#isNextFull() || !isMoreComing()) return 0;
    return oldest.sinceMs + maxWaitMs - performance.now();
  }

  #nextBatch(): QueuedItem<Item, Result>[] {
    const { maxBatch } = this.#settings;
    const suspect = this.#waiting.slice(0, maxBatch).findIndex(({ isSuspect }) => isSuspect);
    return this.#waiting.splice(0, suspect === -1 ? maxBatch : Math.max(1, suspect));
  }

  async #run(batch: readonly QueuedItem<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#settings.workers.run(batch.map(({ item }) => item));
      if (results.length !== batch.length) {
        throw new CaptionError("internal", `expected ${batch.length} results of the batch, received ${results.length}`);
      }
      for (const [index, result] of results.entries()) batch[index]?.resolve(result);
    } catch (error) {
      if (error instanceof EngineLost) this.#runAgain(batch, error);
      else for (const { reject } of batch) reject(error);
    }
    this.pump();
  }

  /** Puts the items that may run again, and whose callers still wait, at the front of the queue. */
  #runAgain(batch: readonly QueuedItem<Item, Result>[], error: EngineLost): void {
    for (const waiting of batch) {
      if (!error.wasBegun) continue;
      waiting.isSuspect = true;
      if (!this.#settings.onLoss(waiting.item)) waiting.reject(error);
    }
    const wanted = batch.filter(({ isSettled }) => !isSettled);
    if (this.#stopped === undefined) this.#waiting.unshift(...wanted);
    else for (const { reject } of wanted) reject(this.#stopped);
  }

  #remove(waiting: QueuedItem<Item, Result>): void {
    const place = this.#waiting.indexOf(waiting);
    if (place !== -1) this.#waiting.splice(place, 1);
  }
}
