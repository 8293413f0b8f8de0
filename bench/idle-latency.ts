import type { Precision } from "../captioner/engine.ts";
import { decodeImage } from "../captioner/images/decode-image.ts";
import { madePhotos } from "../test/fixtures/made-images.ts";
import { type Bench, type BenchResult, inEachPrecision, timeInTurns } from "./bench.ts";
import { bareCaptions, benchInputs } from "./inputs.ts";
import { captionOver, startService } from "./running-service.ts";

const count = 64;

export const idleLatency: Bench = {
  name: "idle-latency",
  about: "a lone request to the service ÷ decoding its photo and a bare call; at most 1.15",
  run: () => inEachPrecision(measure),
};

async function measure(precision: Precision): Promise<BenchResult> {
  const inputs = await benchInputs(1, { precision });
  const { preprocessing } = inputs.bundle.manifest;
  const files = await madePhotos(count);
  const service = await startService({ PRECISION: precision });
  const next = { ours: 0, peer: 0 };
  const take = (side: keyof typeof next) => files[next[side]++ % count] ?? new Uint8Array();
  try {
    const { oursMs, peerMs } = await timeInTurns(count, {
      ours: () => captionOver(service, take("ours")),
      async peer() {
        const { pixels } = await decodeImage(take("peer"), { preprocessing, maxPixels: 1e6 });
        await bareCaptions(inputs, [pixels]);
      },
    });
    const ms = (time: number) => `${time.toFixed(1)} ms`;
    return { number: oursMs / peerMs, ours: ms(oursMs), peer: ms(peerMs) };
  } finally {
    await Promise.all([service.stop(), inputs.engine.close()]);
  }
}
