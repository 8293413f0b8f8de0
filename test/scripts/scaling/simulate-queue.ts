import type { BatchQueue, QueueForecast } from "../../../scripts/scaling/batch-queue.ts";

/** A generator with a seed, mulberry32: uniform in (0, 1]. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return (((value ^ (value >>> 14)) >>> 0) + 1) / 2 ** 32;
  };
}

/** The engine and its queue played through, event by event, knowing nothing of the formulas. */
export function simulateQueue(queue: BatchQueue, { photos, seed }: { photos: number; seed: number }): QueueForecast {
  const { rate, loneMs, batchMs, maxBatch, maxQueued } = queue;
  const random = seededRandom(seed);
  const gapMs = () => (-Math.log(random()) * 1000) / rate;
  const timesMs: number[] = [];
  const waiting: number[] = [];
  let nowMs = 0;
  let arrivalMs = gapMs();
  let running: { endsMs: number; cameMs: number[] } | undefined;
  let [refused, arrived, busyMs, batches, batched] = [0, 0, 0, 0, 0];
  const start = () => {
    const cameMs = waiting.splice(0, maxBatch);
    if (cameMs.length === 0) return;
    const size = cameMs.length;
    const runMs = maxBatch === 1 ? loneMs : loneMs + ((batchMs - loneMs) / (maxBatch - 1)) * (size - 1);
    running = { endsMs: nowMs + runMs, cameMs };
    busyMs += runMs;
    batches += 1;
    batched += size;
  };
  while (arrived < photos) {
    if (running !== undefined && running.endsMs <= arrivalMs) {
      nowMs = running.endsMs;
      for (const cameMs of running.cameMs) timesMs.push(nowMs - cameMs);
      running = undefined;
      start();
      continue;
    }
    nowMs = arrivalMs;
    arrivalMs = nowMs + gapMs();
    arrived += 1;
    if (waiting.length + (running?.cameMs.length ?? 0) >= maxQueued) refused += 1;
    else waiting.push(nowMs);
    if (running === undefined) start();
  }
  timesMs.sort((one, other) => one - other);
  return {
    meanMs: timesMs.reduce((sum, ms) => sum + ms, 0) / timesMs.length,
    p99Ms: timesMs[Math.floor(timesMs.length * 0.99)] ?? 0,
    busy: busyMs / nowMs,
    refused: refused / arrived,
    meanBatch: batched / batches,
  };
}
