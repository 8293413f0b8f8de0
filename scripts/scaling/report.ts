import { capacityOf } from "./batch-queue.ts";
import type { ScalingRequest } from "./command.ts";
import { freePlanExceeded, monthAtEdge, monthlyPrice, monthSeconds } from "./edge-cost.ts";
import { expectedHitRate } from "./hit-rate.ts";
import { type EnginePlan, mostPerEngine, planEngines } from "./plan.ts";

const hoursOfMonth = monthSeconds / 3600;

interface LoadForecast {
  rate: number;
  hitRate: number;
  plan: EnginePlan;
  edgeDollars: number;
  /** Undefined if no price is known. */
  hostDollars: number | undefined;
  freePlanExceeded: string[];
}

/** What one load needs and costs, were it as busy all month; an engine carries `most` photos a second. */
function forecastLoad({ rate, most }: { rate: number; most: number }, request: ScalingRequest): LoadForecast {
  const { hits, ttlDays, engine, hostPrice, edgeCpuMs } = request;
  const hitRate = typeof hits === "number" ? hits : expectedHitRate({ ...hits, ttlDays }, rate);
  const plan = planEngines(rate * (1 - hitRate), engine, most);
  const month = monthAtEdge({ requestsPerSecond: rate, hitRate, cpuMs: edgeCpuMs, flightMs: plan.meanMs, ttlDays });
  return {
    rate,
    hitRate,
    plan,
    edgeDollars: monthlyPrice(month).total,
    hostDollars: hostPrice === undefined ? undefined : plan.engines * hostPrice * hoursOfMonth,
    freePlanExceeded: freePlanExceeded(month),
  };
}

/** The table that `npm run tool -- scaling` prints. */
export function describeScaling(request: ScalingRequest): string {
  const { engine, p99Ms } = request;
  const most = mostPerEngine(engine, { p99Ms });
  const loads = request.rates.map((rate) => forecastLoad({ rate, most }, request));
  const row = (name: string, value: (load: LoadForecast) => string) =>
    `${name.padEnd(38)}${loads.map((load) => value(load).padStart(13)).join("")}`;
  return [
    `An engine: ${engine.loneMs} ms for one photo, ${engine.batchMs} ms for ${engine.maxBatch}: ${round(capacityOf(engine))} photos a second at most,`,
    `${round(most)} with 99 of 100 captioned within ${p99Ms} ms and next to none refused. The load comes at random, all day and night.`,
    "",
    row("photos a second", ({ rate }) => round(rate)),
    row("  found in the cache", ({ hitRate }) => percent(hitRate)),
    row("  captioned", ({ rate, hitRate }) => round(rate * (1 - hitRate))),
    row("engines", ({ plan }) => String(plan.engines)),
    row("  each captions, a second", ({ plan }) => round(plan.rateOfEach)),
    row("  busy", ({ plan }) => percent(plan.busy)),
    row("  cores for decoding", ({ plan }) => ((plan.rateOfEach * engine.decodeMs) / 1000).toFixed(2)),
    row("  photos in a batch", ({ plan }) => plan.meanBatch.toFixed(1)),
    row("  refused", ({ plan }) => percent(plan.refused)),
    row("milliseconds in the service, mean", ({ plan }) => plan.meanMs.toFixed(0)),
    row("  99 of 100 within", ({ plan }) => plan.p99Ms.toFixed(0)),
    row("dollars a month, Cloudflare", ({ edgeDollars }) => dollars(edgeDollars)),
    row("  hosts", ({ hostDollars, plan }) =>
      hostDollars === undefined ? `${plan.engines} x yours` : dollars(hostDollars),
    ),
    row("  for a million photos, together", ({ edgeDollars, hostDollars, rate }) =>
      hostDollars === undefined ? "" : ((edgeDollars + hostDollars) / ((rate * monthSeconds) / 1e6)).toFixed(2),
    ),
    row("Cloudflare's free plan", (load) => (load.freePlanExceeded.length === 0 ? "enough" : "not enough")),
  ]
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function dollars(amount: number): string {
  return amount.toFixed(0);
}
