import type { Layer, LayerOf, LayersModel } from "../../captioner/networks/layers-model.ts";
import { splitDecoder } from "../../captioner/networks/split-decoder.ts";
import type { MergeSpec, MergeValues } from "./merge-model.ts";

export interface ReadMergeModel {
  sizes: Omit<MergeSpec, "dropout">;
  values: MergeValues;
}

/**
 * A merge model's weights, whatever its layers are called. Throws where it is another kind of decoder: training goes on
 * only from what it can make itself.
 */
export function readMergeModel(model: LayersModel): ReadMergeModel {
  const { contextLayers, stepLayers } = splitDecoder(model);
  const image = only(contextLayers, "Dense");
  const embedding = only(stepLayers, "Embedding");
  const lstm = only(stepLayers, "LSTM");
  const [dense, output, ...others] = stepLayers.filter((layer) => layer.class === "Dense");
  if (dense === undefined || output === undefined || others.length > 0) {
    throw new Error("expected a merge model with two Dense layers behind the merge");
  }
  expectActivations(image, "relu");
  expectActivations(dense, "relu");
  const { units, activation, recurrent_activation: gates } = lstm.config;
  if (activation !== "tanh" || gates !== "sigmoid") {
    throw new Error(`layer ${lstm.name}: expected an LSTM of tanh and sigmoid, found ${activation} and ${gates}`);
  }
  const { input_dim: vocabularySize, output_dim: embeddingSize } = embedding.config;
  const featureSize = inputSize(contextLayers);
  const maxCaptionLength = inputSize(stepLayers);
  const read = ({ name }: Layer, weight: string, shape: readonly number[]) => model.weight(name, weight, shape).values;
  return {
    sizes: { featureSize, vocabularySize, embeddingSize, units, maxCaptionLength },
    values: {
      "embedding/embeddings": read(embedding, "embeddings", [vocabularySize, embeddingSize]),
      "image_dense/kernel": read(image, "kernel", [featureSize, units]),
      "image_dense/bias": read(image, "bias", [units]),
      "lstm/kernel": read(lstm, "kernel", [embeddingSize, 4 * units]),
      "lstm/recurrent_kernel": read(lstm, "recurrent_kernel", [units, 4 * units]),
      "lstm/bias": read(lstm, "bias", [4 * units]),
      "dense/kernel": read(dense, "kernel", [units, units]),
      "dense/bias": read(dense, "bias", [units]),
      "word_probabilities/kernel": read(output, "kernel", [units, vocabularySize]),
      "word_probabilities/bias": read(output, "bias", [vocabularySize]),
    },
  };
}

function only<Class extends Layer["class"]>(layers: readonly Layer[], wanted: Class): LayerOf<Class> {
  const found = layers.filter((layer): layer is LayerOf<Class> => layer.class === wanted);
  const [layer] = found;
  if (layer !== undefined && found.length === 1) return layer;
  throw new Error(`expected a merge model with one layer ${wanted} there, found ${found.length}`);
}

function expectActivations({ name, config }: LayerOf<"Dense">, activation: string): void {
  if (config.activation === activation && config.use_bias) return;
  throw new Error(`layer ${name}: expected ${activation} and a bias, found ${config.activation}`);
}

function inputSize(layers: readonly Layer[]): number {
  const { name, config } = only(layers, "InputLayer");
  const [, size] = config.batch_input_shape;
  if (typeof size === "number") return size;
  throw new Error(`input ${name}: expected a fixed size, found none`);
}
