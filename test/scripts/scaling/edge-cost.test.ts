import { expect, test } from "vitest";
import { freePlanExceeded, monthAtEdge, monthlyPrice, monthSeconds } from "../../../scripts/scaling/edge-cost.ts";

const idle = { requestsPerSecond: 0, hitRate: 0, cpuMs: 5, flightMs: 200, ttlDays: 30 };
const perMonth = (requests: number) => requests / monthSeconds;

test("an idle edge costs the plan, or nothing on the free one", () => {
  expect(monthlyPrice(monthAtEdge(idle)).total).toBe(5);
  expect(freePlanExceeded(monthAtEdge(idle))).toEqual([]);
});

test("a hundred million requests, all misses, cost what the price list says", () => {
  const month = monthAtEdge({ ...idle, requestsPerSecond: perMonth(100e6) });
  const { meters } = monthlyPrice(month);

  expect(Object.fromEntries(meters.map(({ meter, dollars }) => [meter, Math.round(dollars * 100) / 100]))).toEqual({
    requests: 27, // 90 million at 0.30
    cpuMs: 9.4, // 470 million ms at 0.02
    kvReads: 45, // 90 million at 0.50
    kvWrites: 995, // 199 million at 5
    objectRequests: 74.85, // 499 million at 0.15
    objectGbSeconds: 27, // 2.16 million GB-s at 12.50
    logEvents: 108, // 180 million at 0.60
    kvStored: 73.47, // 147.9 GB less one, at 0.50: 30 days of a month of 30.4
  });
});

test("hits cost no writes and no Durable Objects", () => {
  const month = monthAtEdge({ ...idle, requestsPerSecond: perMonth(100e6), hitRate: 1 });

  expect(month).toMatchObject({ kvWrites: 0, objectRequests: 0, objectGbSeconds: 0, kvStored: 0 });
});

test("the free plan ends at its thousand writes a day, which five hundred new photos take", () => {
  const perDay = (misses: number) => monthAtEdge({ ...idle, requestsPerSecond: misses / 86_400 });

  expect(freePlanExceeded(perDay(499))).toEqual([]);
  expect(freePlanExceeded(perDay(501))).toEqual(["kvWrites"]);
  expect(freePlanExceeded(perDay(100_001))).toEqual(["requests", "kvReads", "kvWrites", "objectRequests"]);
});
