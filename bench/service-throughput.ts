import pMap from "p-map";
import type { Precision } from "../gpu-service/engines/engine.ts";
import { precisions } from "../shared/contract.ts";
import { madePhotos } from "../test/fixtures/made-images.ts";
import { type Bench, type BenchResult, timeInTurns } from "./bench.ts";
import { bareCaptions, benchInputs } from "./inputs.ts";
import { captionOver, startService } from "./running-service.ts";

const count = 64;
const batch = 8;
/** Enough for one batch in the model, one behind it and photos being decoded. */
const clients = 3 * batch;
const rounds = 5;

export const serviceThroughput: Bench = {
  name: "service-throughput",
  about: "the bare loop over decoded pixels ÷ the saturated service, by HTTP from JPEG files; at least 0.9",
  async run() {
    const results: BenchResult[] = [];
    for (const precision of precisions) results.push(await measure(precision));
    return results;
  },
};

async function measure(precision: Precision): Promise<BenchResult> {
  const inputs = await benchInputs(count, { precision });
  const files = await madePhotos(count);
  const service = await startService({ MAX_BATCH: `${batch}`, PRECISION: precision });
  try {
    const { oursMs, peerMs } = await timeInTurns(rounds, {
      ours: () => pMap([...files, ...files], (file) => captionOver(service, file), { concurrency: clients }),
      async peer() {
        for (let first = 0; first < 2 * count; first += batch) {
          const place = first % count;
          await bareCaptions(inputs, inputs.photos.slice(place, place + batch));
        }
      },
    });
    const perSecond = (ms: number) => `${((2 * count * 1000) / ms).toFixed(1)} photos a second`;
    return { variant: precision, number: peerMs / oursMs, ours: perSecond(oursMs), peer: perSecond(peerMs) };
  } finally {
    await Promise.all([service.stop(), inputs.engine.close()]);
  }
}
