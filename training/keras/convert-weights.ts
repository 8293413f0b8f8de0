import { basename } from "node:path";
import type { EncoderBundle } from "../../captioner/bundle.ts";
import { digestFile } from "../../files/regular-file.ts";
import { startBackend } from "../fit/backend.ts";
import type { ModelFiles } from "../layers-format.ts";
import { weightedLayers, withWeights } from "../layers-format.ts";
import { type EncoderDescription, writeEncoder } from "../write-bundle.ts";
import { inceptionV3 } from "./inception-v3.ts";
import { readKerasWeights } from "./read-weights.ts";
import { releaseOf } from "./release.ts";

interface Conversion {
  /** Path of a file in Keras' `.h5` format, with or without the classifier. */
  weightsPath: string;
  /** Folder for the encoder bundle. */
  folder: string;
  /** Whether kernels are stored in 8 bits. */
  isQuantized: boolean;
  /** Licence of the weights, if they are not Keras' own; undefined: not stated. */
  licence?: string | undefined;
}

/** Converts Keras InceptionV3 weights into an encoder bundle. Throws a sentence for other weights. */
export async function convertKerasWeights(conversion: Conversion): Promise<EncoderBundle> {
  const model = await convertModel(conversion);
  return writeEncoder(conversion.folder, { ...(await describeEncoder(conversion)), model });
}

async function convertModel({ weightsPath, isQuantized }: Conversion): Promise<ModelFiles> {
  await startBackend(); // the layers' own weights are tensors
  const model = inceptionV3({ hasClassifier: false });
  try {
    const weights = await readKerasWeights(weightsPath, weightedLayers(model));
    return await withWeights(model, { weights, isQuantized });
  } finally {
    model.dispose();
  }
}

async function describeEncoder({ weightsPath, isQuantized, licence }: Conversion): Promise<EncoderDescription> {
  const { sha256 } = await digestFile(weightsPath);
  const release = releaseOf(sha256);
  const origin = release === undefined ? "of whoever made them" : "Keras' own, trained on ImageNet (Apache-2.0)";
  const rounded = isQuantized ? ", kernels rounded to 8 bits" : "";
  return {
    id: release === undefined ? "inception-v3" : "inception-v3-imagenet",
    description: `InceptionV3 encoder, weights from ${basename(weightsPath)}, without a decoder`,
    featureSize: 2048,
    preprocessing: { width: 299, height: 299, fit: "fill", kernel: "linear", divisor: 127.5, offset: -1 },
    provenance: [
      "Encoder architecture: InceptionV3, Szegedy et al. 2015, as Keras defines it, without its classifier.",
      `Encoder weights: ${basename(weightsPath)}, sha256 ${sha256}, ${origin}${rounded}.`,
    ],
    licence: release === undefined ? (licence ?? "not stated") : "Apache-2.0",
  };
}
