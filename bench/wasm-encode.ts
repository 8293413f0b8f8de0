import { searchCaptions } from "../captioner/beam-search.ts";
import { rowsOf } from "../captioner/vectors.ts";
import { type Bench, timeInTurns } from "./bench.ts";
import { benchInputs } from "./inputs.ts";
import { loadTfjsWasm } from "./tfjs-wasm.ts";
import { tutorialSearch, tutorialSettings } from "./tutorial-search.ts";

const batch = 8;

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
