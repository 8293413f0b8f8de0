import { type BatchQueue, capacityOf, forecastQueue, type QueueForecast } from "./batch-queue.ts";

/** An engine by its measures; one a GPU, or a machine's one on its CPU. */
export type EngineMeasures = Omit<BatchQueue, "rate"> & {
  /** Decoding a photo, on cores that have time for it. */
  decodeMs: number;
};

export interface EnginePlan extends QueueForecast {
  engines: number;
  /** Photos a second that each gets. */
  rateOfEach: number;
}

/** Share of the photos. */
const mostRefused = 0.001;
const searchSteps = 14;

/** The fewest engines of which none gets more than `most` photos a second; to each they come by chance, into a queue of its own. */
export function planEngines(photosPerSecond: number, engine: EngineMeasures, most: number): EnginePlan {
  const engines = Math.max(1, Math.ceil(photosPerSecond / most - 1e-9));
  const rateOfEach = photosPerSecond / engines;
  return { engines, rateOfEach, ...forecastService(engine, rateOfEach) };
}

/** The most photos a second that an engine may get for 99 of 100 to be captioned in time. Throws if none are. */
export function mostPerEngine(engine: EngineMeasures, wanted: { p99Ms: number }): number {
  const meets = (rate: number) => {
    const { p99Ms, refused } = forecastService(engine, rate);
    return p99Ms <= wanted.p99Ms && refused <= mostRefused;
  };
  let [low, high] = [capacityOf(engine) / 1e4, capacityOf(engine)];
  if (!meets(low)) {
    const least = Math.ceil(engine.loneMs + engine.decodeMs);
    throw new Error(`expected a p99 that an idle engine reaches, at least ${least} ms, received ${wanted.p99Ms} ms`);
  }
  for (let step = 0; step < searchSteps; step++) {
    const middle = (low + high) / 2;
    if (meets(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** The queue's forecast with the decoding before it. */
function forecastService({ decodeMs, ...queue }: EngineMeasures, rate: number): QueueForecast {
  const forecast = forecastQueue({ ...queue, rate });
  return { ...forecast, meanMs: forecast.meanMs + decodeMs, p99Ms: forecast.p99Ms + decodeMs };
}
