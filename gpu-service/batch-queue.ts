import { CaptionError } from "../shared/errors.ts";

interface Waiting<Item, Result> {
  item: Item;
  signal: AbortSignal | undefined;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

interface BatchQueueSettings<Item, Result> {
  maxBatch: number;
  /** Gives one result an item, in their order. */
  run(items: Item[]): Promise<Result[]>;
}

/**
 * Gathers items into batches, one batch under way at a time. A lone item never waits for company: whatever has come
 * while the last batch ran makes the next one.
 */
export class BatchQueue<Item, Result> {
  readonly #settings: BatchQueueSettings<Item, Result>;
  #waiting: Waiting<Item, Result>[] = [];
  #isRunning = false;

  constructor(settings: BatchQueueSettings<Item, Result>) {
    this.#settings = settings;
  }

  /**
   * Rejects with the signal's reason when it aborts, at once, whether the item waits or runs; one that waits never
   * reaches a batch.
   */
  push(item: Item, signal?: AbortSignal): Promise<Result> {
    return new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      this.#waiting.push({ item, signal, resolve, reject });
      if (!this.#isRunning) void this.#runAll();
    });
  }

  async #runAll(): Promise<void> {
    this.#isRunning = true;
    for (let batch = this.#nextBatch(); batch.length > 0; batch = this.#nextBatch()) await this.#runBatch(batch);
    this.#isRunning = false;
  }

  #nextBatch(): Waiting<Item, Result>[] {
    const batch: Waiting<Item, Result>[] = [];
    while (batch.length < this.#settings.maxBatch) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      if (next.signal?.aborted) next.reject(next.signal.reason);
      else batch.push(next);
    }
    return batch;
  }

  async #runBatch(batch: Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#settings.run(batch.map(({ item }) => item));
      if (results.length !== batch.length) {
        throw new CaptionError("internal", `expected ${batch.length} results of the batch, received ${results.length}`);
      }
      for (const [index, result] of results.entries()) batch[index]?.resolve(result);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
