import { CaptionError } from "../shared/errors.ts";

interface Waiting<Item, Result> {
  item: Item;
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
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const waiting = { item, resolve, reject };
      this.#waiting.push(waiting);
      signal?.addEventListener(
        "abort",
        () => {
          this.#waiting = this.#waiting.filter((other) => other !== waiting);
          reject(signal.reason);
        },
        { once: true },
      );
      if (!this.#isRunning) void this.#runAll();
    });
  }

  async #runAll(): Promise<void> {
    this.#isRunning = true;
    for (let batch = this.#nextBatch(); batch.length > 0; batch = this.#nextBatch()) await this.#runBatch(batch);
    this.#isRunning = false;
  }

  #nextBatch(): Waiting<Item, Result>[] {
    return this.#waiting.splice(0, this.#settings.maxBatch);
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
