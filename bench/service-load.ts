import { setTimeout } from "node:timers/promises";
import pMap from "p-map";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { defaultModelDir, openBundle } from "../captioner/bundle.ts";
import type { Precision } from "../captioner/engine.ts";
import { forecastQueue } from "../scripts/scaling/batch-queue.ts";
import { madePhotos } from "../test/fixtures/made-images.ts";
import { randomFor } from "../training/keyed-random.ts";
import { type Bench, type BenchResult, inEachPrecision, median } from "./bench.ts";
import { measureCoreShare } from "./core-share.ts";
import { captionOver, engineSecondsOf, type RunningService, startService } from "./running-service.ts";

const count = 64;
const batch = 8;
/** Enough for one batch in the model, the next one, and photos being decoded. */
const clients = 3 * batch;
const rounds = 3;
/** Photos a round: with few, filling and emptying the pipeline would be measured, and not saturation. */
const perRound = 4 * count;
const maxQueued = 64;
/** Shares of what the service does at most. */
const loads = [0.3, 0.6, 0.8];
const photosOfLoad = 200;

export const serviceThroughput: Bench = {
  name: "service-throughput",
  about:
    "share of the cores' time that goes into decoding and the engine in the saturated service, by HTTP from JPEG files; at least 0.95 in float32, 0.92 in int8",
  run: () => inEachPrecision(measureThroughput),
};

async function measureThroughput(precision: Precision): Promise<BenchResult> {
  const bundle = await openBundle(defaultModelDir);
  const files = await madePhotos(count);
  const posted = Array.from({ length: perRound }, (_, index) => files[index % count] ?? new Uint8Array());
  const service = await startService({ MAX_BATCH: `${batch}`, PRECISION: precision });
  try {
    return await measureCoreShare({
      rounds,
      pid: service.pid,
      work: () => pMap(posted, (file) => captionOver(service, file), { concurrency: clients }),
      photos: perRound,
      files,
      bundle,
      engineSeconds: () => engineSecondsOf(service),
    });
  } finally {
    await service.stop();
  }
}

export const queueForecast: Bench = {
  name: "queue-forecast",
  about:
    "mean time in the service of photos that come at random ÷ what npm run tool -- scaling forecasts; 1 where the model holds",
  async run() {
    const files = await madePhotos(count);
    const service = await startService({ MAX_BATCH: `${batch}`, MAX_QUEUED: `${maxQueued}` });
    try {
      await pMap(files, (file) => captionOver(service, file), { concurrency: 3 * batch }); // warms it
      const loneMs = median(await pMap(files.slice(0, 32), (file) => timed(service, file), { concurrency: 1 }));
      const begun = performance.now();
      await pMap([...files, ...files], (file) => captionOver(service, file), { concurrency: 3 * batch });
      const perSecond = (2 * count * 1000) / (performance.now() - begun);
      const engine = { loneMs, batchMs: Math.max(loneMs, (batch * 1000) / perSecond), maxBatch: batch, maxQueued };
      const results: BenchResult[] = [];
      for (const load of loads) {
        const rate = load * perSecond;
        const times = await atRandom(service, { files, rate });
        const seenMs = times.reduce((sum, ms) => sum + ms, 0) / times.length;
        const { meanMs } = forecastQueue({ ...engine, rate });
        const refused = photosOfLoad - times.length;
        const ours = `${seenMs.toFixed(0)} ms at ${rate.toFixed(1)} photos a second, ${refused} of ${photosOfLoad} refused`;
        results.push({ variant: `${load * 100}`, number: seenMs / meanMs, ours, peer: `${meanMs.toFixed(0)} ms` });
      }
      return results;
    } finally {
      await service.stop();
    }
  },
};

/** Sends photos without waiting for answers, as strangers would; returns how long those took that were not refused. */
async function atRandom(
  service: RunningService,
  { files, rate }: { files: readonly Uint8Array[]; rate: number },
): Promise<number[]> {
  const draws = randomFor("queue-forecast", rate);
  const begun = performance.now();
  const answers: Promise<number | undefined>[] = [];
  let dueMs = 0;
  for (let sent = 0; sent < photosOfLoad; sent++) {
    dueMs += (-Math.log(1 - uniformFloat64(draws)) * 1000) / rate;
    await setTimeout(begun + dueMs - performance.now());
    answers.push(timed(service, files[sent % count] ?? new Uint8Array()).catch(() => undefined)); // refused
  }
  return (await Promise.all(answers)).filter((ms) => ms !== undefined);
}

async function timed(service: RunningService, photo: Uint8Array): Promise<number> {
  const begun = performance.now();
  await captionOver(service, photo);
  return performance.now() - begun;
}
