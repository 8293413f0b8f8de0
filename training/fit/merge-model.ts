import { tensor, tidy } from "@tensorflow/tfjs-core";
import { input, layers, model, type SymbolicTensor, type LayersModel as TfjsModel } from "@tensorflow/tfjs-layers";
import type { Layer, LayerOf, LayersModel } from "../../captioner/networks/layers-model.ts";
import { splitDecoder } from "../../captioner/networks/split-decoder.ts";
import { glorotUniform, orthogonal, randomFor, uniform } from "../keyed-random.ts";

/** The sizes that define a merge model. */
export interface MergeSpec {
  featureSize: number;
  vocabularySize: number;
  embeddingSize: number;
  units: number;
  /** Words of the longest caption, start and end included: the length of the input in Keras. */
  maxCaptionLength: number;
  dropout: Dropout;
}

/** Dropout rates in training: of the photo's features, the word vectors, and the merged vector. */
export interface Dropout {
  image: number;
  words: number;
  merge: number;
}

export const noDropout: Dropout = { image: 0, words: 0, merge: 0 };

/** A weight's name, `<layer>/<weight>`, as TensorFlow.js saves it. */
export type WeightName = keyof ReturnType<typeof weightShapes>;

/** float32 values by name, with the shapes that `weightShapes` returns. */
export type MergeValues = Record<WeightName, Float32Array>;

/** Returns the shapes of all weights, in the order in which TensorFlow.js saves them. */
export function weightShapes({ featureSize, vocabularySize, embeddingSize, units }: Omit<MergeSpec, "dropout">) {
  return {
    "embedding/embeddings": [vocabularySize, embeddingSize],
    "image_dense/kernel": [featureSize, units],
    "image_dense/bias": [units],
    "lstm/kernel": [embeddingSize, 4 * units],
    "lstm/recurrent_kernel": [units, 4 * units],
    "lstm/bias": [4 * units],
    "dense/kernel": [units, units],
    "dense/bias": [units],
    "word_probabilities/kernel": [units, vocabularySize],
    "word_probabilities/bias": [vocabularySize],
  } as const satisfies Record<string, readonly [number] | readonly [number, number]>;
}

export const weightNames = Object.keys(
  weightShapes({ featureSize: 0, vocabularySize: 0, embeddingSize: 0, units: 0, maxCaptionLength: 0 }),
) as WeightName[];

/**
 * Draws Keras' initial weights: Glorot-uniform kernels, an orthogonal recurrent kernel, biases of 0, and of 1 for the
 * forget gate.
 */
export function initialValues(spec: MergeSpec, seed: number): MergeValues {
  const shapes = weightShapes(spec);
  const { vocabularySize, embeddingSize, units } = spec;
  const random = (name: WeightName) => randomFor(seed, "weights", name);
  const kernel = (name: WeightName) => glorotUniform(random(name), shapes[name] as readonly [number, number]);
  const forgetBias = new Float32Array(4 * units).fill(1, units, 2 * units);
  const vectors = uniform(random("embedding/embeddings"), { size: vocabularySize * embeddingSize, limit: 0.05 });
  return {
    "embedding/embeddings": vectors.fill(0, 0, embeddingSize), // the vector of padding, which nothing reads
    "image_dense/kernel": kernel("image_dense/kernel"),
    "image_dense/bias": new Float32Array(units),
    "lstm/kernel": kernel("lstm/kernel"),
    "lstm/recurrent_kernel": orthogonal(random("lstm/recurrent_kernel"), shapes["lstm/recurrent_kernel"]),
    "lstm/bias": forgetBias,
    "dense/kernel": kernel("dense/kernel"),
    "dense/bias": new Float32Array(units),
    "word_probabilities/kernel": kernel("word_probabilities/kernel"),
    "word_probabilities/bias": new Float32Array(vocabularySize),
  };
}

/**
 * Builds the tutorial's merge model from TensorFlow.js layers: features [n, featureSize] and words [n,
 * maxCaptionLength], padded with 0, → probabilities [n, vocabularySize]. The caller disposes it.
 */
export function mergeModel(spec: MergeSpec, values: MergeValues): TfjsModel {
  const network = defineLayers(spec);
  const shapes = weightShapes(spec);
  tidy(() => {
    const names = network.weights.map(({ originalName }) => originalName as WeightName); // the layers define these names
    network.setWeights(names.map((name) => tensor(values[name], [...shapes[name]])));
  });
  return network;
}

function defineLayers({ featureSize, vocabularySize, embeddingSize, units, maxCaptionLength, dropout }: MergeSpec) {
  const features = input({ shape: [featureSize], name: "image_features" });
  const image = chain(features, [
    layers.dropout({ rate: dropout.image, name: "image_dropout" }),
    layers.dense({ units, activation: "relu", name: "image_dense" }),
  ]);
  const words = input({ shape: [maxCaptionLength], name: "words" });
  const embedding = { inputDim: vocabularySize, outputDim: embeddingSize, maskZero: true, name: "embedding" };
  const sentence = chain(words, [
    layers.embedding({ ...embedding, embeddingsInitializer: "zeros" }),
    layers.dropout({ rate: dropout.words, name: "words_dropout" }),
    // `mergeModel` sets its weights; drawing orthogonal ones would take TensorFlow.js a while for nothing
    layers.lstm({ units, recurrentActivation: "sigmoid", recurrentInitializer: "zeros", name: "lstm" }),
  ]);
  const merged = layers.add({ name: "merge" }).apply([image, sentence]) as SymbolicTensor; // one output for two inputs
  const probabilities = chain(merged, [
    ...(dropout.merge > 0 ? [layers.dropout({ rate: dropout.merge, name: "merge_dropout" })] : []),
    layers.dense({ units, activation: "relu", name: "dense" }),
    layers.dense({ units: vocabularySize, activation: "softmax", name: "word_probabilities" }),
  ]);
  return model({ inputs: [features, words], outputs: probabilities, name: "merge_model" });
}

type TfjsLayer = Pick<ReturnType<typeof layers.dense>, "apply">;

function chain(from: SymbolicTensor, followers: readonly TfjsLayer[]): SymbolicTensor {
  return followers.reduce((value, layer) => layer.apply(value) as SymbolicTensor, from); // one in, one out
}

/** Formats a summary as Keras prints it, with shapes and parameter counts. */
export function summarize(spec: MergeSpec): string {
  const network = defineLayers(spec);
  const lines: string[] = [];
  network.summary(110, [0.26, 0.52, 0.68, 0.78], (line = "") => lines.push(line));
  network.dispose();
  return `${lines.join("\n")}\n`;
}

export interface ReadMergeModel {
  sizes: Omit<MergeSpec, "dropout">;
  values: MergeValues;
}

/**
 * Reads a merge model's weights, whatever its layers are called. Throws for another kind of decoder: training only
 * continues from a kind that it can make itself.
 */
export function readMergeModel(model: LayersModel): ReadMergeModel {
  const { contextLayers, stepLayers } = splitDecoder(model);
  const image = only(contextLayers, "Dense");
  const embedding = only(stepLayers, "Embedding");
  const lstm = only(stepLayers, "LSTM");
  const [dense, output, ...others] = stepLayers.filter((layer) => layer.class === "Dense");
  if (dense === undefined || output === undefined || others.length > 0) {
    throw new Error("expected a merge model with two Dense layers after the merge");
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
