import type { LayersModel } from "@tensorflow/tfjs-layers";
import { type ModelFiles, modelJson, saveArtifacts } from "../fit/layers-format.ts";
import type { NamedWeight, WeightedLayer } from "./read-weights.ts";

/** The layers of a model that have weights, in its order. */
export function weightedLayers({ layers }: LayersModel): WeightedLayer[] {
  return layers
    .filter(({ weights }) => weights.length > 0)
    .map(({ name, weights }) => ({
      name,
      weights: weights.map(({ originalName, shape }) => ({
        name: originalName.slice(name.length + 1), // `<layer>/<weight>`
        shape: shape.map((size) => size ?? 0),
      })),
    }));
}

/**
 * A model with these weights in the place of its own, in TensorFlow.js' layers format. Quantised, each kernel is uint8
 * with a least value and a step, as TensorFlow.js' converter writes them; the other weights are float32 always.
 */
export async function withWeights(
  model: LayersModel,
  { weights, isQuantized }: { weights: readonly NamedWeight[]; isQuantized: boolean },
): Promise<ModelFiles> {
  const artifacts = await saveArtifacts(model);
  const written = weights.map((weight) => (isQuantized && weight.name === "kernel" ? quantize : store)(weight));
  return {
    topology: modelJson(
      artifacts,
      written.map(({ spec }) => spec),
    ),
    weights: Buffer.concat(written.map(({ bytes }) => bytes)),
  };
}

interface WrittenWeight {
  /** An entry of the weights manifest. */
  spec: object;
  bytes: Uint8Array;
}

function store({ layer, name, shape, values }: NamedWeight): WrittenWeight {
  const spec = { name: `${layer}/${name}`, shape, dtype: "float32" };
  return { spec, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
}

function quantize({ layer, name, shape, values }: NamedWeight): WrittenWeight {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  const scale = max > min ? (max - min) / 255 : 1;
  const bytes = Uint8Array.from(values, (value) => Math.round((value - min) / scale));
  const quantization = { dtype: "uint8", min, scale };
  return { spec: { name: `${layer}/${name}`, shape, dtype: "float32", quantization }, bytes };
}
