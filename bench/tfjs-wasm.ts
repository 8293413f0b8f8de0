import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { add, cast, div, io, ready, setBackend, type Tensor, tensor, tensor2d, tidy } from "@tensorflow/tfjs-core";
import { type LayersModel, loadLayersModel } from "@tensorflow/tfjs-layers";
import type { Bundle } from "../captioner/bundle.ts";

/**
 * The peer of our engine: TensorFlow.js' own execution of the same bundle on its WebAssembly backend. It reads the
 * bundle's files by its own loader and runs layers as they are, so it also serves the tests as the reference.
 */
export interface TfjsWasm {
  /** `pixels` uint8 [photos, height, width, 3] → float32 [photos, featureSize]. */
  encode(pixels: Uint8Array, photos: number): Promise<Float32Array>;
  /** One photo's features, float32 [featureSize], and a caption's beginning → float32 [vocabularySize], probabilities of the next word. */
  nextWord(features: Float32Array, prefix: readonly number[]): Promise<Float32Array>;
}

/** Reads a bundle into TensorFlow.js on its WebAssembly backend, which is from then on the backend of this process. */
export async function loadTfjsWasm(bundle: Bundle): Promise<TfjsWasm> {
  const wasm = dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm"));
  setWasmPaths(wasm + sep);
  await setBackend("wasm");
  await ready();
  const { manifest, folder } = bundle;
  const { width, height, divisor, offset } = manifest.preprocessing;
  const encoder = await loadModel(join(folder, manifest.encoder.topology));
  const decoder = await loadModel(join(folder, manifest.decoder.topology));
  const wordsComeFirst = decoder.inputs[0]?.shape[1] !== manifest.encoder.featureSize;

  return {
    async encode(pixels, photos) {
      const features = tidy(() => {
        const values = cast(tensor(pixels, [photos, height, width, 3], "int32"), "float32");
        const images = add(div(values, divisor), offset);
        return encoder.predict(images) as Tensor; // a model of one output
      });
      return take(features);
    },
    async nextWord(features, prefix) {
      const probabilities = tidy(() => {
        const padding = new Array<number>(manifest.maxCaptionLength - prefix.length).fill(0);
        const words = tensor2d([[...padding, ...prefix]]);
        const photo = tensor2d(features, [1, features.length]);
        return decoder.predict(wordsComeFirst ? [words, photo] : [photo, words]) as Tensor; // a model of one output
      });
      return take(probabilities);
    },
  };
}

async function take(values: Tensor): Promise<Float32Array> {
  try {
    const data = await values.data();
    if (!(data instanceof Float32Array)) throw new Error(`expected float32, received ${values.dtype}`);
    return data;
  } finally {
    values.dispose();
  }
}

async function loadModel(path: string): Promise<LayersModel> {
  const model: io.ModelJSON = JSON.parse(await readFile(path, "utf8"));
  const files = model.weightsManifest.flatMap(({ paths }) => paths);
  const weights = Buffer.concat(await Promise.all(files.map((file) => readFile(join(dirname(path), file)))));
  const weightData = new Uint8Array(weights).buffer;
  const weightSpecs = model.weightsManifest.flatMap((group) => group.weights);
  return loadLayersModel(io.fromMemory({ modelTopology: model.modelTopology, weightSpecs, weightData }));
}
