import { describe, expect, test } from "vitest";
import { type BatchQueue, capacityOf, forecastQueue } from "../../scripts/scaling/batch-queue.ts";
import { simulateQueue } from "../scripts/scaling/simulate-queue.ts";

const cpu = { loneMs: 72, batchMs: 523, maxBatch: 8, maxQueued: 64 };
const gpu = { loneMs: 6, batchMs: 12, maxBatch: 8, maxQueued: 64 };
const alone = { loneMs: 50, batchMs: 50, maxBatch: 1, maxQueued: 64 };
const cramped = { loneMs: 20, batchMs: 60, maxBatch: 4, maxQueued: 6 };

const cases = [
  ...[0.1, 0.5, 0.8, 0.95].map((load) => ({ name: "a CPU", engine: cpu, load })),
  ...[0.1, 0.5, 0.8, 0.95].map((load) => ({ name: "a GPU", engine: gpu, load })),
  ...[0.5, 0.8].map((load) => ({ name: "one at a time", engine: alone, load })),
  ...[0.5, 0.9, 1.5].map((load) => ({ name: "little room", engine: cramped, load })),
];

describe.each(cases)("$name at $load of its capacity", ({ engine, load }) => {
  const queue: BatchQueue = { ...engine, rate: load * capacityOf(engine) };

  test("does in the forecast what it does when it is played through", () => {
    const forecast = forecastQueue(queue);
    const played = simulateQueue(queue, { photos: 300_000, seed: 1 });

    expect(Math.abs(forecast.meanMs / played.meanMs - 1)).toBeLessThan(0.025);
    expect(Math.abs(forecast.p99Ms / played.p99Ms - 1)).toBeLessThan(0.05);
    expect(Math.abs(forecast.busy - played.busy)).toBeLessThan(0.01);
    expect(Math.abs(forecast.refused - played.refused)).toBeLessThan(0.005);
    expect(Math.abs(forecast.meanBatch / played.meanBatch - 1)).toBeLessThan(0.02);
  });
});
