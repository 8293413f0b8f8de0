import { searchCaptions } from "../captioner/beam-search.ts";
import { defaultModelDir, openBundle } from "../captioner/bundle.ts";
import type { EngineChoice } from "../captioner/engine.ts";
import { type EngineProcess, startEngineProcess } from "../captioner/engines/engine-process.ts";
import { readNativeSetup } from "../captioner/engines/native-setup.ts";
import { rowsOf } from "../captioner/vectors.ts";
import { type Bench, type BenchResult, benchInputs, decodedMadePhotos, timeInTurns } from "./bench.ts";
import { loadTfjsWasm, type TfjsWasm } from "./tfjs-wasm.ts";
import { tutorialSearch, tutorialSettings } from "./tutorial-search.ts";

const batch = 8;
const batches = [1, 8];
const int8Rounds = 9;

export const wasmEncode: Bench = {
  name: "wasm-encode",
  about: "TensorFlow.js' WASM backend ÷ our onnx engine, encode and greedy search of a batch of 8; at least 8",
  async run() {
    const { bundle, engine, photos } = await benchInputs(batch);
    const { manifest } = bundle;
    const wasm = await loadTfjsWasm(bundle);
    const pixels = Buffer.concat(photos);
    const options = photos.map(() => ({ beam: 1, candidates: 1 }));
    const settings = tutorialSettings(manifest);
    const { oursMs, peerMs } = await timeInTurns(3, {
      async ours() {
        const features = await engine.encode(pixels, batch);
        await searchCaptions(engine, { features, options }, settings);
      },
      async peer() {
        const features = await wasm.encode(pixels, batch);
        for (const row of rowsOf(features, batch)) await tutorialSearch(wasm.nextWord, row, manifest);
      },
    });
    await engine.close();
    return {
      number: peerMs / oursMs,
      ours: `${(oursMs / batch).toFixed(1)} ms a photo`,
      peer: `${(peerMs / batch).toFixed(1)} ms a photo`,
    };
  },
};

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
      for (const batch of batches)
        results.push(await compareWithWasm({ engine, wasm, photos: photos.slice(0, batch) }));
      await engine.close();
    }
    return results;
  },
};

/** Our side runs in its process, as in the service; the way there and back is counted. */
async function compareWithWasm(sides: {
  engine: EngineProcess;
  wasm: TfjsWasm;
  photos: Uint8Array[];
}): Promise<BenchResult> {
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
      const { oursMs, peerMs } = await timeInTurns(int8Rounds, {
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
