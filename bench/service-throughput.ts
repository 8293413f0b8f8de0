import pMap from "p-map";
import type { Precision } from "../captioner/engine.ts";
import { madePhotos } from "../test/fixtures/made-images.ts";
import { type Bench, type BenchResult, inEachPrecision, timeInTurns } from "./bench.ts";
import { bareCaptions, benchInputs } from "./inputs.ts";
import { captionOver, startService } from "./running-service.ts";

const count = 64;
const batch = 8;
/** Enough for one batch in the model, one behind it and photos being decoded. */
const clients = 3 * batch;
const rounds = 3;
/** Photos a round: with few, filling and emptying the pipeline would be measured, and not saturation. */
const perRound = 4 * count;

export const serviceThroughput: Bench = {
  name: "service-throughput",
  about: "the bare loop over decoded pixels ÷ the saturated service, by HTTP from JPEG files; at least 0.9",
  run: () => inEachPrecision(measure),
};

async function measure(precision: Precision): Promise<BenchResult> {
  const inputs = await benchInputs(count, { precision });
  const files = await madePhotos(count);
  const posted = Array.from({ length: perRound }, (_, index) => files[index % count] ?? new Uint8Array());
  const service = await startService({ MAX_BATCH: `${batch}`, PRECISION: precision });
  try {
    const { oursMs, peerMs } = await timeInTurns(rounds, {
      ours: () => pMap(posted, (file) => captionOver(service, file), { concurrency: clients }),
      async peer() {
        for (let first = 0; first < perRound; first += batch) {
          const place = first % count;
          await bareCaptions(inputs, inputs.photos.slice(place, place + batch));
        }
      },
    });
    const perSecond = (ms: number) => `${((perRound * 1000) / ms).toFixed(1)} photos a second`;
    return { number: peerMs / oursMs, ours: perSecond(oursMs), peer: perSecond(peerMs) };
  } finally {
    await Promise.all([service.stop(), inputs.engine.close()]);
  }
}
