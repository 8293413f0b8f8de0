import { expect, test } from "vitest";
import { capacityOf, forecastQueue } from "../../../scripts/scaling/batch-queue.ts";
import { simulateQueue } from "./simulate-queue.ts";

const cpu = { loneMs: 72, batchMs: 523, maxBatch: 8, maxQueued: 64 };
const alone = { loneMs: 50, batchMs: 50, maxBatch: 1, maxQueued: 64 };

test("does in the forecast what it does when it is played through", () => {
  const queue = { ...cpu, rate: 0.6 * capacityOf(cpu) };
  const forecast = forecastQueue(queue);
  const played = simulateQueue(queue, { photos: 50_000, seed: 1 });

  expect(Math.abs(forecast.meanMs / played.meanMs - 1)).toBeLessThan(0.03);
  expect(Math.abs(forecast.p99Ms / played.p99Ms - 1)).toBeLessThan(0.08);
  expect(Math.abs(forecast.busy - played.busy)).toBeLessThan(0.01);
  expect(Math.abs(forecast.meanBatch / played.meanBatch - 1)).toBeLessThan(0.02);
});

test("one photo at a time with much room is the queue M/D/1: Pollaczek and Khinchine's mean wait", () => {
  const load = 0.7;
  const { meanMs, busy } = forecastQueue({ ...alone, maxQueued: 200, rate: load * capacityOf(alone) });

  expect(busy).toBeCloseTo(load, 6);
  expect(meanMs).toBeCloseTo(alone.loneMs * (1 + load / (2 * (1 - load))), 0);
});

test("a photo that comes once in a while finds the engine idle", () => {
  const { meanMs, p99Ms, refused, meanBatch } = forecastQueue({ ...cpu, rate: 0.001 });

  expect(meanMs).toBeCloseTo(cpu.loneMs, 1);
  expect(p99Ms).toBeCloseTo(cpu.loneMs, -0.5);
  expect(refused).toBeCloseTo(0, 9);
  expect(meanBatch).toBeCloseTo(1, 3);
});

test("what comes above the capacity is refused", () => {
  const { refused, busy } = forecastQueue({ ...cpu, rate: 4 * capacityOf(cpu) });

  expect(refused).toBeCloseTo(0.75, 2);
  expect(busy).toBeCloseTo(1, 6);
});
