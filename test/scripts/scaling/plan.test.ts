import { expect, test } from "vitest";
import { capacityOf } from "../../../scripts/scaling/batch-queue.ts";
import { mostPerEngine, planEngines } from "../../../scripts/scaling/plan.ts";
import { simulateQueue } from "./simulate-queue.ts";

const engine = { loneMs: 72, batchMs: 523, maxBatch: 8, maxQueued: 64, decodeMs: 7 };
const most = mostPerEngine(engine, { p99Ms: 1000 });

test("an engine gets so many photos that the time wanted is just kept, and not more", () => {
  const p99Ms = (rate: number) =>
    simulateQueue({ ...engine, rate }, { photos: 200_000, seed: 3 }).p99Ms + engine.decodeMs;

  expect(most).toBeLessThan(capacityOf(engine));
  expect(p99Ms(most * 0.97)).toBeLessThan(1000);
  expect(p99Ms(most * 1.03)).toBeGreaterThan(1000);
});

test("engines are as many as the photos need, and at least one", () => {
  expect(planEngines(0.001, engine, most).engines).toBe(1);
  expect(planEngines(most, engine, most)).toMatchObject({ engines: 1, rateOfEach: most });
  expect(planEngines(most * 1.01, engine, most).engines).toBe(2);
  const { engines, rateOfEach } = planEngines(most * 9.5, engine, most);
  expect(engines).toBe(10);
  expect(rateOfEach).toBeCloseTo(most * 0.95, 9);
});

test("what an idle engine does not reach is refused with what it reaches", () => {
  expect(() => mostPerEngine(engine, { p99Ms: 78 })).toThrow("at least 79 ms, received 78 ms");
});
