import { defaultModelDir, openBundle } from "../captioner/bundle.ts";
import { startEngineProcess } from "../captioner/engines/engine-process.ts";
import { type Bench, type BenchResult, timeInTurns } from "./bench.ts";
import { decodedMadePhotos } from "./inputs.ts";

const batches = [1, 8];
const rounds = 9;

export const int8Encode: Bench = {
  name: "int8-encode",
  about: "the encoder in float32 ÷ in int8, at batch 1 and 8; at least 2 where the CPU has VNNI",
  async run() {
    const bundle = await openBundle(defaultModelDir);
    const photos = await decodedMadePhotos(bundle, Math.max(...batches));
    const [int8, float32] = await Promise.all(
      (["int8", "float32"] as const).map((precision) =>
        startEngineProcess(defaultModelDir, "onnx", { cpu: { precision } }),
      ),
    );
    const results: BenchResult[] = [];
    for (const batch of batches) {
      const pixels = Buffer.concat(photos.slice(0, batch));
      const { oursMs, peerMs } = await timeInTurns(rounds, {
        ours: async () => int8?.encode(pixels, batch),
        peer: async () => float32?.encode(pixels, batch),
      });
      const perPhoto = (ms: number) => `${(ms / batch).toFixed(1)} ms a photo`;
      results.push({ variant: `${batch}`, number: peerMs / oursMs, ours: perPhoto(oursMs), peer: perPhoto(peerMs) });
    }
    await Promise.all([int8?.close(), float32?.close()]);
    return results;
  },
};
