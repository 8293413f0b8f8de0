import { describe, expect, it } from "vitest";
import { BatchQueue } from "../../gpu-service/batch-queue.ts";

/** A queue whose batches end when the test says so. */
function heldQueue(maxBatch: number) {
  const batches: { items: number[]; end(results?: number[]): void; fail(error: Error): void }[] = [];
  const queue = new BatchQueue<number, number>({
    maxBatch,
    run: (items) =>
      new Promise((resolve, reject) => {
        batches.push({ items, end: (results = items.map((item) => item * 10)) => resolve(results), fail: reject });
      }),
  });
  return { queue, batches };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("BatchQueue", () => {
  it("runs a lone item at once", () => {
    const { queue, batches } = heldQueue(4);
    void queue.push(1);
    expect(batches.map(({ items }) => items)).toEqual([[1]]);
  });

  it("makes the next batch of what came while one ran, in order and no larger than its limit", async () => {
    const { queue, batches } = heldQueue(3);
    const results = Promise.all([1, 2, 3, 4, 5].map((item) => queue.push(item)));
    for (let index = 0; index < 3; index++) {
      batches[index]?.end();
      await settled();
    }
    expect(batches.map(({ items }) => items)).toEqual([[1], [2, 3, 4], [5]]);
    expect(await results).toEqual([10, 20, 30, 40, 50]);
  });

  it("drops an item whose signal aborts while it waits, with the signal's reason", async () => {
    const { queue, batches } = heldQueue(3);
    const controller = new AbortController();
    const [first, dropped, last] = [queue.push(1), queue.push(2, controller.signal), queue.push(3)];
    const reason = new Error("gone");
    controller.abort(reason);
    batches[0]?.end();
    await expect(dropped).rejects.toBe(reason);
    batches[1]?.end();
    expect(await Promise.all([first, last])).toEqual([10, 30]);
    expect(batches[1]?.items).toEqual([3]);
  });

  it("drops an item at once when its signal aborts, though a batch hangs, and one whose signal had aborted before", async () => {
    const { queue, batches } = heldQueue(3);
    const controller = new AbortController();
    const reason = new Error("gone");
    const hanging = queue.push(1, controller.signal);
    const waiting = queue.push(2, controller.signal);
    controller.abort(reason);
    await expect(hanging).rejects.toBe(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(queue.push(3, controller.signal)).rejects.toBe(reason);
    batches[0]?.end();
    await settled();
    expect(batches.map(({ items }) => items)).toEqual([[1]]);
  });

  it("fails each item of a failed batch once and goes on with the next", async () => {
    const { queue, batches } = heldQueue(2);
    const [first, second] = [queue.push(1), queue.push(2)];
    batches[0]?.fail(new Error("no memory"));
    await expect(first).rejects.toThrow("no memory");
    batches[1]?.end();
    expect(await second).toBe(20);
  });

  it("fails a batch that gave fewer results than it had items", async () => {
    const { queue, batches } = heldQueue(2);
    const only = queue.push(1);
    batches[0]?.end([]);
    await expect(only).rejects.toMatchObject({ code: "internal" });
  });
});
