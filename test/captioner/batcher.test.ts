import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Batcher } from "../../captioner/batcher.ts";
import { EngineLost } from "../../captioner/engines/engine-process.ts";
import type { Priority } from "../../shared/priority.ts";

interface HeldBatch {
  items: readonly number[];
  /** Gives each item its tenfold, or these. */
  end(results?: number[]): Promise<void>;
  fail(error: Error): Promise<void>;
}

/** A batcher whose batches end when the test says so. */
function heldBatcher({ maxBatch = 4, maxWaitMs = 0, workers = 1, ahead = 0, bulkMs = 100 } = {}) {
  const batches: HeldBatch[] = [];
  const suspects = new Set<number>();
  const coming = { isMore: false };
  let free = workers;
  const batcher = new Batcher<number, number>({
    maxBatch,
    maxWaitMs,
    bulkMs,
    onLoss(item) {
      const isFirst = !suspects.has(item);
      suspects.add(item);
      return isFirst;
    },
    isMoreComing: () => coming.isMore,
    workers: {
      canTake({ isFull }) {
        return free > 0 || (isFull && free > -ahead);
      },
      run(items) {
        free -= 1;
        const afterwards = async () => {
          free += 1;
          await vi.advanceTimersByTimeAsync(0);
        };
        return new Promise((resolve, reject) => {
          batches.push({
            items,
            end(results = items.map((item) => item * 10)) {
              resolve(results);
              return afterwards();
            },
            fail(error) {
              reject(error);
              return afterwards();
            },
          });
        });
      },
    },
  });
  const push = (item: number, signal?: AbortSignal, priority?: Priority) =>
    batcher.push(item, { signal, ...(priority && { priority }) });
  const pushBulk = (item: number) => push(item, undefined, "bulk");
  return { batcher, batches, coming, push, pushBulk, itemsOf: () => batches.map(({ items }) => items) };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("batches", () => {
  test("are of one where an item comes alone, at once", () => {
    const { push, itemsOf } = heldBatcher({ maxWaitMs: 1000 });
    void push(1);
    expect(itemsOf()).toEqual([[1]]);
  });

  test("are made of what came while one ran, in order and no larger than their limit", async () => {
    const { push, batches, itemsOf } = heldBatcher({ maxBatch: 3 });
    const results = Promise.all([1, 2, 3, 4, 5].map((item) => push(item)));
    for (let index = 0; index < 3; index++) await batches[index]?.end();
    expect(itemsOf()).toEqual([[1], [2, 3, 4], [5]]);
    expect(await results).toEqual([10, 20, 30, 40, 50]);
  });

  test("wait for items that are coming, but no longer than they may", async () => {
    const { push, coming, itemsOf } = heldBatcher({ maxWaitMs: 10 });
    coming.isMore = true;
    void push(1);
    await vi.advanceTimersByTimeAsync(9);
    void push(2);
    expect(itemsOf()).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(itemsOf()).toEqual([[1, 2]]);
  });

  test("start at once when they are full, or when no more is coming", async () => {
    const { push, coming, itemsOf, batches } = heldBatcher({ maxBatch: 2, maxWaitMs: 1000 });
    coming.isMore = true;
    void push(1);
    void push(2);
    expect(itemsOf()).toEqual([[1, 2]]);
    await batches[0]?.end();
    void push(3);
    coming.isMore = false;
    void push(4);
    expect(itemsOf()).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test("run side by side, one a worker", async () => {
    const { push, itemsOf, batches } = heldBatcher({ workers: 2, maxBatch: 2 });
    for (const item of [1, 2, 3, 4, 5]) void push(item);
    expect(itemsOf()).toEqual([[1], [2]]);
    await batches[1]?.end();
    expect(itemsOf()).toEqual([[1], [2], [3, 4]]);
  });

  test("are handed to a busy worker ahead of time, but only full ones", () => {
    const { push, itemsOf } = heldBatcher({ maxBatch: 2, ahead: 1 });
    for (const item of [1, 2, 3, 4, 5, 6]) void push(item);
    expect(itemsOf()).toEqual([[1], [2, 3]]);
  });
});

describe("bulk items", () => {
  test("wait until no other does, in their order, and are counted by themselves", async () => {
    const { push, pushBulk, batches, itemsOf, batcher } = heldBatcher({ bulkMs: 1 });
    const results = Promise.all([pushBulk(1), pushBulk(2), pushBulk(3), push(4), push(5)]);
    expect(batcher.waiting).toEqual({ interactive: 2, bulk: 2 });
    for (let index = 0; index < 4; index++) {
      vi.advanceTimersByTime(10);
      await batches[index]?.end();
    }
    expect(itemsOf()).toEqual([[1], [4, 5], [2], [3]]);
    expect(await results).toEqual([10, 20, 30, 40, 50]);
  });

  test("make batches as large as their time allows, by the pace of those before, and join others no further", async () => {
    const { push, pushBulk, batches, itemsOf } = heldBatcher({ maxBatch: 8, bulkMs: 100 });
    for (let item = 1; item <= 9; item++) void pushBulk(item);
    vi.advanceTimersByTime(30);
    await batches[0]?.end(); // 30 ms an item, so that three take less than 100
    void push(10);
    vi.advanceTimersByTime(90);
    await batches[1]?.end();
    vi.advanceTimersByTime(90);
    await batches[2]?.end();
    expect(itemsOf()).toEqual([[1], [2, 3, 4], [10, 5, 6], [7, 8, 9]]);
  });

  test("are not handed to a busy worker ahead of time, where others could not pass them", async () => {
    const { push, pushBulk, batches, itemsOf } = heldBatcher({ maxBatch: 2, ahead: 1, bulkMs: Number.MAX_VALUE });
    void push(0);
    vi.advanceTimersByTime(1);
    await batches[0]?.end();
    for (const item of [1, 2, 3]) void pushBulk(item);
    for (const item of [4, 5]) void push(item);
    expect(itemsOf()).toEqual([[0], [1], [4, 5]]);
  });

  test("whose worker is lost run again before other bulk items, and after the rest", async () => {
    const { push, pushBulk, batches, itemsOf } = heldBatcher({ bulkMs: 1 });
    for (const item of [1, 2]) void pushBulk(item);
    vi.advanceTimersByTime(10);
    void push(3);
    await batches[0]?.fail(new EngineLost("killed"));
    for (const index of [1, 2]) await batches[index]?.end();
    expect(itemsOf()).toEqual([[1], [3], [1], [2]]);
  });
});

describe("an item whose signal aborts", () => {
  test("is dropped while it waits, with the signal's reason", async () => {
    const { push, batches, itemsOf, batcher } = heldBatcher();
    const controller = new AbortController();
    const [first, dropped, last] = [push(1), push(2, controller.signal), push(3)];
    const reason = new Error("gone");
    controller.abort(reason);
    await expect(dropped).rejects.toBe(reason);
    expect(batcher.waiting).toEqual({ interactive: 1, bulk: 0 });
    await batches[0]?.end();
    await batches[1]?.end();
    expect(await Promise.all([first, last])).toEqual([10, 30]);
    expect(itemsOf()).toEqual([[1], [3]]);
  });

  test("is dropped at once though its batch hangs, or when it had aborted before", async () => {
    const { push, itemsOf } = heldBatcher();
    const controller = new AbortController();
    const hanging = push(1, controller.signal);
    const reason = new Error("gone");
    controller.abort(reason);
    await expect(hanging).rejects.toBe(reason);
    await expect(push(2, controller.signal)).rejects.toBe(reason);
    expect(itemsOf()).toEqual([[1]]);
  });

  test("is not run again when its worker is lost", async () => {
    const { push, batches, itemsOf } = heldBatcher();
    const controller = new AbortController();
    const gone = push(1, controller.signal);
    controller.abort(new Error("gone"));
    await expect(gone).rejects.toThrow("gone");
    await batches[0]?.fail(new EngineLost("killed"));
    expect(itemsOf()).toEqual([[1]]);
  });
});

describe("items whose worker is lost", () => {
  test("run once more before all others, each alone, so that only the one to blame fails", async () => {
    const { push, batches, itemsOf } = heldBatcher();
    const first = push(1);
    const outcomes = Promise.allSettled([2, 3, 4, 5, 6].map((item) => push(item)));
    await batches[0]?.end();
    expect(await first).toBe(10);
    const lost = new EngineLost("killed");
    await batches[1]?.fail(lost); // 2, 3, 4 and 5
    await batches[2]?.end();
    await batches[3]?.fail(lost);
    for (const index of [4, 5, 6]) await batches[index]?.end();
    expect(itemsOf()).toEqual([[1], [2, 3, 4, 5], [2], [3], [4], [5], [6]]);
    const [two, three, ...others] = await outcomes;
    expect(two).toEqual({ status: "fulfilled", value: 20 });
    expect(three).toEqual({ status: "rejected", reason: lost });
    expect(others.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "fulfilled"]);
  });
});

describe("items that a lost worker had not begun with", () => {
  test("run again together, since none of them is to blame", async () => {
    const { push, batches, itemsOf } = heldBatcher({ maxBatch: 2, ahead: 1 });
    const outcomes = Promise.all([1, 2, 3].map((item) => push(item)));
    await batches[1]?.fail(new EngineLost("killed", { wasBegun: false }));
    await batches[0]?.fail(new EngineLost("killed"));
    for (const index of [2, 3]) await batches[index]?.end();
    expect(itemsOf()).toEqual([[1], [2, 3], [2, 3], [1]]);
    expect(await outcomes).toEqual([10, 20, 30]);
  });
});

describe("a batcher that is stopped", () => {
  test("rejects what waits and what comes, also what its worker is lost with, and lets the rest run to its end", async () => {
    const { push, batcher, batches } = heldBatcher({ workers: 2 });
    const outcomes = Promise.allSettled([1, 2, 3].map((item) => push(item)));
    const reason = new Error("no engine");
    batcher.stop(reason);
    await expect(push(4)).rejects.toBe(reason);
    await batches[0]?.end();
    await batches[1]?.fail(new EngineLost("killed"));
    expect(await outcomes).toEqual([
      { status: "fulfilled", value: 10 },
      { status: "rejected", reason },
      { status: "rejected", reason },
    ]);
  });
});

describe("a failed batch", () => {
  test("fails each of its items once, and the next goes on", async () => {
    const { push, batches } = heldBatcher();
    const [first, second] = [push(1), push(2)];
    const isFirstOver = expect(first).rejects.toThrow("no memory");
    await batches[0]?.fail(new Error("no memory"));
    await isFirstOver;
    await batches[1]?.end();
    expect(await second).toBe(20);
  });

  test("is one that gave fewer results than it had items", async () => {
    const { push, batches } = heldBatcher();
    const only = expect(push(1)).rejects.toMatchObject({ code: "internal" });
    await batches[0]?.end([]);
    await only;
  });
});
