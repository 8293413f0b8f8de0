import { CaptionError } from "../shared/errors.ts";
import { EngineLost } from "./engine-process.ts";

/** How often an item may be in a batch whose engine was lost. */
const maxLosses = 2;

interface BatcherSettings<Item, Result> {
  maxBatch: number;
  /** How long a batch that is not full waits for items that are known to come. Without any it never waits. */
  maxWaitMs: number;
  isMoreComing(): boolean;
  workers: {
    /** Whether a worker would take a batch now: a free one, or for a full batch one that is about to be. */
    canTake(batch: { isFull: boolean }): boolean;
    /** Occupies that worker at once. Gives one result an item, in their order. */
    run(items: readonly Item[]): Promise<Result[]>;
  };
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly sinceMs: number;
  /** Batches with this item whose engine was lost. */
  losses: number;
  isSettled: boolean;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/**
 * Gathers items into batches, one a free worker, first come first served. A lone item never waits for company: whatever
 * has come while the workers were busy makes the next batch. Items whose worker was lost run once more, each alone, so
 * that one of them that takes its worker along takes no other item with it.
 */
export class Batcher<Item, Result> {
  readonly #settings: BatcherSettings<Item, Result>;
  readonly #waiting: Waiting<Item, Result>[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(settings: BatcherSettings<Item, Result>) {
    this.#settings = settings;
  }

  /** Items that no worker has taken yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Rejects with the signal's reason when it aborts, at once, whether the item waits or runs; one that waits never
   * reaches a worker. Rejects with `EngineLost` when a second worker is lost with it.
   */
  push(item: Item, signal?: AbortSignal): Promise<Result> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const abort = () => {
        settle(() => reject(signal?.reason));
        this.#drop(waiting);
      };
      const settle = (how: () => void) => {
        waiting.isSettled = true;
        signal?.removeEventListener("abort", abort);
        how();
      };
      const waiting: Waiting<Item, Result> = {
        item,
        sinceMs: performance.now(),
        losses: 0,
        isSettled: false,
        resolve: (result) => settle(() => resolve(result)),
        reject: (error) => settle(() => reject(error)),
      };
      signal?.addEventListener("abort", abort);
      this.#waiting.push(waiting);
      this.pump();
    });
  }

  /** Starts what can be started. To be called when a worker becomes free. */
  pump(): void {
    clearTimeout(this.#timer);
    const { workers } = this.#settings;
    while (this.#waiting.length > 0 && workers.canTake({ isFull: this.#isNextFull() })) {
      const patienceMs = this.#patienceMs();
      if (patienceMs > 0) {
        this.#timer = setTimeout(() => this.pump(), patienceMs);
        return;
      }
      void this.#run(this.#nextBatch());
    }
  }

  #isNextFull(): boolean {
    const { maxBatch } = this.#settings;
    return this.#waiting.length >= maxBatch && this.#waiting.slice(0, maxBatch).every(({ losses }) => losses === 0);
  }

  /** How long the next batch may still wait to become fuller. */
  #patienceMs(): number {
    const { maxWaitMs, isMoreComing } = this.#settings;
    const [oldest] = this.#waiting;
    if (oldest === undefined || oldest.losses > 0 || this.#isNextFull() || !isMoreComing()) return 0;
    return oldest.sinceMs + maxWaitMs - performance.now();
  }

  #nextBatch(): Waiting<Item, Result>[] {
    const firstLost = this.#waiting.findIndex(({ losses }) => losses > 0);
    if (firstLost === 0) return this.#waiting.splice(0, 1);
    const { maxBatch } = this.#settings;
    return this.#waiting.splice(0, firstLost === -1 ? maxBatch : Math.min(firstLost, maxBatch));
  }

  async #run(batch: readonly Waiting<Item, Result>[]): Promise<void> {
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

  /** Puts those that somebody still waits for in front of all others. */
  #runAgain(batch: readonly Waiting<Item, Result>[], error: EngineLost): void {
    const wanted = batch.filter(({ isSettled }) => !isSettled);
    for (const waiting of wanted) {
      waiting.losses += 1;
      if (waiting.losses === maxLosses) waiting.reject(error);
    }
    this.#waiting.unshift(...wanted.filter(({ losses }) => losses < maxLosses));
  }

  #drop(waiting: Waiting<Item, Result>): void {
    const place = this.#waiting.indexOf(waiting);
    if (place !== -1) this.#waiting.splice(place, 1);
  }
}
