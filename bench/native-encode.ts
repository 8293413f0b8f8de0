import { defaultModelDir, openBundle } from "../captioner/bundle.ts";
import type { EngineChoice } from "../captioner/engine.ts";
import { type EngineProcess, startEngineProcess } from "../captioner/engines/engine-process.ts";
import { readNativeSetup } from "../captioner/engines/native-setup.ts";
import { type Bench, type BenchResult, timeInTurns } from "./bench.ts";
import { decodedMadePhotos } from "./inputs.ts";
import { loadTfjsWasm, type TfjsWasm } from "./tfjs-wasm.ts";

const batches = [1, 8];

export const nativeEncode: Bench = {
  name: "native-encode",
  about: "TensorFlow.js' WASM backend ÷ the tensorflow and the onnx engine, encode at batch 1 and 8; measured",
  async run() {
    if (readNativeSetup() === undefined) return "the tensorflow engine is not set up: npm run setup:native";
    const bundle = await openBundle(defaultModelDir);
    const photos = await decodedMadePhotos(bundle, Math.max(...batches));
    const wasm = await loadTfjsWasm(bundle);
    const results: BenchResult[] = [];
    for (const choice of ["tensorflow", "onnx"] as const satisfies EngineChoice[]) {
      const engine = await startEngineProcess(defaultModelDir, choice);
      for (const batch of batches) results.push(await compare({ engine, wasm, photos: photos.slice(0, batch) }));
      await engine.close();
    }
    return results;
  },
};

/** Our side runs in its process, as in the service; the way there and back is counted. */
async function compare(sides: { engine: EngineProcess; wasm: TfjsWasm; photos: Uint8Array[] }): Promise<BenchResult> {
  const { engine, wasm, photos } = sides;
  const pixels = Buffer.concat(photos);
  const { oursMs, peerMs } = await timeInTurns(5, {
    ours: () => engine.encode(pixels, photos.length),
    peer: () => wasm.encode(pixels, photos.length),
  });
  return {
    variant: `${engine.identity.name}-${photos.length}`,
    number: peerMs / oursMs,
    ours: `${(oursMs / photos.length).toFixed(1)} ms a photo on the ${engine.identity.device}`,
    peer: `${(peerMs / photos.length).toFixed(1)} ms a photo`,
  };
}
