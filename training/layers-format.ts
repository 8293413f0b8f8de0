import { io } from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { parseLayersModel } from "../captioner/networks/layers-model.ts";
import type { NamedWeight, WeightedLayer } from "./keras/read-weights.ts";

/** A model in TensorFlow.js' layers format. */
export interface ModelFiles {
  /** Contents of `model.json`. The weights are in one file beside it, `weights.bin`. */
  topology: object;
  /** float32 values, in the order of the weights manifest. */
  weights: Uint8Array;
}

/** Parses a model's files, as the service reads them. */
export function parseModel({ topology, weights }: ModelFiles) {
  return parseLayersModel({ topology, readWeights: () => weights });
}

/** Converts a model as TensorFlow.js itself saves it. */
export async function toLayersFormat(model: LayersModel): Promise<ModelFiles> {
  const artifacts = await saveArtifacts(model);
  return { topology: modelJson(artifacts, artifacts.weightSpecs ?? []), weights: joined(artifacts.weightData) };
}

/** Builds the contents of `model.json` for a model whose weights, listed in these entries, are in `weights.bin`. */
export function modelJson({ modelTopology, generatedBy }: io.ModelArtifacts, weights: readonly object[]): object {
  return {
    format: "layers-model",
    generatedBy,
    convertedBy: null,
    modelTopology,
    weightsManifest: [{ paths: ["weights.bin"], weights }],
  };
}

/** Returns what TensorFlow.js saves of a model. */
export async function saveArtifacts(model: LayersModel): Promise<io.ModelArtifacts> {
  return new Promise((resolve, reject) => {
    const handler = io.withSaveHandler(async (artifacts) => {
      resolve(artifacts);
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    });
    model.save(handler).catch(reject);
  });
}

function joined(data: io.WeightData | undefined): Uint8Array {
  if (data === undefined) return new Uint8Array();
  return Buffer.concat((Array.isArray(data) ? data : [data]).map((buffer) => new Uint8Array(buffer)));
}

/** Lists the layers of a model that have weights, in order. */
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
 * Converts a model with these weights instead of its own. Quantized, each kernel is uint8 with a minimum and a step, as
 * TensorFlow.js' converter writes them; other weights are always float32.
 */
export async function withWeights(
  model: LayersModel,
  { weights, isQuantized }: { weights: readonly NamedWeight[]; isQuantized: boolean },
): Promise<ModelFiles> {
  const artifacts = await saveArtifacts(model);
  const written = weights.map((weight) => (isQuantized && weight.name === "kernel" ? quantizeWeight : store)(weight));
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

function quantizeWeight({ layer, name, shape, values }: NamedWeight): WrittenWeight {
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
