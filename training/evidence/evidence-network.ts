import { input, layers, model, type SymbolicTensor } from "@tensorflow/tfjs-layers";
import type { LayersModel } from "../../captioner/networks/layers-model.ts";
import { type ModelFiles, withWeights } from "../layers-format.ts";

/**
 * The network that a bundle carries as `evidence`: detectors, a dense layer from features to concepts with a hard sigmoid,
 * and a dense layer from concepts to a score for each word. All are float32 in row-major order.
 */
export interface EvidenceNetwork {
  featureSize: number;
  concepts: number;
  vocabularySize: number;
  /** [featureSize, concepts] and [concepts]. */
  detectors: Dense;
  /** [concepts, vocabularySize] and [vocabularySize]. */
  words: Dense;
}

export interface Dense {
  kernel: Float32Array;
  bias: Float32Array;
}

const detectorsName = "word_detectors";
const wordsName = "word_evidence";

/** Converts the network to TensorFlow.js' layers format, its kernels in eight bits. */
export async function toEvidenceFiles(network: EvidenceNetwork): Promise<ModelFiles> {
  const { featureSize, concepts, vocabularySize, detectors, words } = network;
  const features = input({ shape: [featureSize], name: "features" });
  const detect = layers.dense({ units: concepts, activation: "hardSigmoid", name: detectorsName });
  const score = layers.dense({ units: vocabularySize, activation: "linear", name: wordsName });
  const outputs = score.apply(detect.apply(features)) as SymbolicTensor; // one symbolic tensor in, one out
  const made = model({ inputs: features, outputs });
  const weightsOf = (layer: string, { kernel, bias }: Dense, inputs: number) => [
    { layer, name: "kernel", shape: [inputs, bias.length], values: kernel },
    { layer, name: "bias", shape: [bias.length], values: bias },
  ];
  try {
    return await withWeights(made, {
      weights: [...weightsOf(detectorsName, detectors, featureSize), ...weightsOf(wordsName, words, concepts)],
      isQuantized: true,
    });
  } finally {
    made.dispose();
  }
}

/** Reads the network of a bundle. Throws a sentence for one of another shape than `toEvidenceFiles` writes. */
export function readEvidenceNetwork(network: LayersModel): EvidenceNetwork {
  const [features, detect, score, ...others] = network.layers;
  if (features?.class !== "InputLayer" || detect?.class !== "Dense" || score?.class !== "Dense" || others.length > 0) {
    const found = network.layers.map((layer) => layer.class).join(", ");
    throw new Error(`expected word evidence of two dense layers, found ${found}`);
  }
  const [, featureSize = null] = features.config.batch_input_shape;
  if (featureSize === null) throw new Error(`input ${features.name}: expected a fixed size, found none`);
  const { units: concepts } = detect.config;
  const { units: vocabularySize } = score.config;
  const read = (layer: string, inputs: number, units: number): Dense => ({
    kernel: network.weight(layer, "kernel", [inputs, units]).values,
    bias: network.weight(layer, "bias", [units]).values,
  });
  return {
    ...{ featureSize, concepts, vocabularySize },
    detectors: read(detect.name, featureSize, concepts),
    words: read(score.name, concepts, vocabularySize),
  };
}
