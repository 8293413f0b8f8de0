import { io } from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";

/** A model in TensorFlow.js' layers format. */
export interface ModelFiles {
  /** What `model.json` holds. Its weights are in one file, `weights.bin`, beside it. */
  topology: object;
  /** float32, in the order of the weights manifest. */
  weights: Uint8Array;
}

/** Writes a model as TensorFlow.js itself does. */
export async function toLayersFormat(model: LayersModel): Promise<ModelFiles> {
  const artifacts = await saveArtifacts(model);
  return { topology: modelJson(artifacts, artifacts.weightSpecs ?? []), weights: joined(artifacts.weightData) };
}

/** What `model.json` holds of a model whose weights, by these entries of the weights manifest, are in `weights.bin`. */
export function modelJson({ modelTopology, generatedBy }: io.ModelArtifacts, weights: readonly object[]): object {
  return {
    format: "layers-model",
    generatedBy,
    convertedBy: null,
    modelTopology,
    weightsManifest: [{ paths: ["weights.bin"], weights }],
  };
}

/** What TensorFlow.js writes of a model. */
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
