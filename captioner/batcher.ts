import { CaptionError } from "../shared/errors.ts";
import type { Priority } from "../shared/priority.ts";
import { EngineLost } from "./engines/engine-process.ts";

interface BatcherSettings<Item, Result> {
  maxBatch: number;
  /** How long a batch that is not full waits while more items are coming. */
  maxWaitMs: number;
  /** How long a batch with bulk items may take, by the pace of those before; at least one is run. */
  bulkMs?: number | undefined;
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
  readonly isBulk: boolean;
  /** Whether a worker was lost while it ran this item. */
  isSuspect: boolean;
  isSettled: boolean;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/** Weight of the latest batch in the time per item. */
const latestWeight = 0.25;

/**
 * Gathers items into batches, one per free worker, first come first served: whatever has come while the workers were busy
 * makes the next batch. Bulk items come last, and join others only as far as the batch stays short. Items whose worker was
 * lost run again, each alone, so that an item that kills its worker affects no other.
 */
export class Batcher<Item, Result> {
  readonly #settings: BatcherSettings<Item, Result>;
  readonly #waiting: QueuedItem<Item, Result>[] = [];
  #timer: NodeJS.Timeout | undefined;
  #stopped: Error | undefined;
  /** Undefined before the first batch. */
  #itemMs: number | undefined;

  constructor(settings: BatcherSettings<Item, Result>) {
    this.#settings = settings;
  }

  /** Items that no worker has taken yet. */
  get waiting(): Record<Priority, number> {
    const bulk = this.#waiting.filter(({ isBulk }) => isBulk).length;
    return { interactive: this.#waiting.length - bulk, bulk };
  }

  /**
   * Runs an item. Rejects with the signal's reason as soon as it aborts; an item that still waits then never reaches a
   * worker. Rejects with `EngineLost` when its worker was lost and no other may run it.
   */
  push(
    item: Item,
    { signal, priority }: { signal?: AbortSignal | undefined; priority?: Priority } = {},
  ): Promise<Result> {
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
        isBulk: priority === "bulk",
        isSuspect: false,
        isSettled: false,
        resolve: (result) => settle(() => resolve(result)),
        reject: (error) => settle(() => reject(error)),
      };
      signal?.addEventListener("abort", abort);
      this.#waiting.push(waiting);
      this.#putBulkLast();
      this.pump();
    });
  }

  /** Starts the batches that can be started. Call it when a worker becomes free. */
  pump(): void {
    clearTimeout(this.#timer);
    const { workers } = this.#settings;
    while (this.#waiting.length > 0 && workers.canTake({ isFull: this.#isFull(this.#peekBatch()) })) {
      const remainingMs = this.#remainingWaitMs();
      if (remainingMs > 0) {
        this.#timer = setTimeout(() => this.pump(), remainingMs);
        return;
      }
      void this.#run(this.#waiting.splice(0, this.#peekBatch().length));
    }
  }

  /** Rejects the items that wait and all later ones. Items that are running finish. */
  stop(reason: Error): void {
    this.#stopped = reason;
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
  }

  /** Whether the batch is worth sending to a busy worker, where items that come later cannot pass it. */
  #isFull(batch: readonly QueuedItem<Item, Result>[]): boolean {
    return batch.length === this.#settings.maxBatch && !batch.some(({ isSuspect, isBulk }) => isSuspect || isBulk);
  }

  /** How long the next batch may still wait for more items. */
  #remainingWaitMs(): number {
    const { maxWaitMs, isMoreComing } = this.#settings;
    const [oldest] = this.#waiting;
    if (oldest === undefined || oldest.isSuspect || this.#isFull(this.#peekBatch()) || !isMoreComing()) return 0;
    return oldest.sinceMs + maxWaitMs - performance.now();
  }

  #peekBatch(): QueuedItem<Item, Result>[] {
    const { maxBatch, bulkMs = Number.POSITIVE_INFINITY } = this.#settings;
    const most = Math.max(this.waiting.interactive, this.#itemsWithin(bulkMs));
    const next = this.#waiting.slice(0, Math.min(maxBatch, most));
    const suspect = next.findIndex(({ isSuspect }) => isSuspect);
    return suspect === -1 ? next : next.slice(0, Math.max(1, suspect));
  }

  /** The number of items that take so long together, at least one. */
  #itemsWithin(ms: number): number {
    return this.#itemMs === undefined ? 1 : Math.max(1, Math.floor(ms / this.#itemMs));
  }

  async #run(batch: readonly QueuedItem<Item, Result>[]): Promise<void> {
    const begunMs = performance.now();
    try {
      const results = await this.#settings.workers.run(batch.map(({ item }) => item));
      if (results.length !== batch.length) {
        throw new CaptionError("internal", `expected ${batch.length} results of the batch, received ${results.length}`);
      }
      this.#learnPace((performance.now() - begunMs) / batch.length);
      for (const [index, result] of results.entries()) batch[index]?.resolve(result);
    } catch (error) {
      if (error instanceof EngineLost) this.#runAgain(batch, error);
      else for (const { reject } of batch) reject(error);
    }
    this.pump();
  }

  #learnPace(itemMs: number): void {
    this.#itemMs = (1 - latestWeight) * (this.#itemMs ?? itemMs) + latestWeight * itemMs;
  }

  /** Keeps the order of items that are alike. */
  #putBulkLast(): void {
    this.#waiting.sort((one, other) => Number(one.isBulk) - Number(other.isBulk));
  }

  /** Puts the items that may run again, and whose callers still wait, at the front of the queue. */
  #runAgain(batch: readonly QueuedItem<Item, Result>[], error: EngineLost): void {
    for (const waiting of batch) {
      if (!error.wasBegun) continue;
      waiting.isSuspect = true;
      if (!this.#settings.onLoss(waiting.item)) waiting.reject(error);
    }
    const wanted = batch.filter(({ isSettled }) => !isSettled);
    if (this.#stopped !== undefined) {
      for (const { reject } of wanted) reject(this.#stopped);
      return;
    }
    this.#waiting.unshift(...wanted);
    this.#putBulkLast();
  }

  #remove(waiting: QueuedItem<Item, Result>): void {
    const place = this.#waiting.indexOf(waiting);
    if (place !== -1) this.#waiting.splice(place, 1);
  }
}
