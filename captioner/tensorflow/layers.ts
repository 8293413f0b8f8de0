import type { Tensor, Tensor4D } from "@tensorflow/tfjs-node-gpu";
import { batchNormalizationTerms } from "../networks/convolution-weights.ts";
import type { Activation, Layer, LayerOf, LayersModel } from "../networks/layers-model.ts";
import type { TensorFlow } from "./binding.ts";

/** The tensors of a network's weights: created at their first use, in whatever scope, and kept until `dispose`. */
export class WeightTensors {
  readonly tf: TensorFlow;
  readonly #kept = new Map<string, Tensor>();

  constructor(tf: TensorFlow) {
    this.tf = tf;
  }

  /** A float32 tensor of the given shape. Callers do not dispose it. */
  get(name: string, shape: readonly number[], values: () => Float32Array): Tensor {
    return this.getOrMake(name, () => this.tf.tensor(values(), [...shape]));
  }

  /** The same for a tensor that is computed once. */
  getOrMake(name: string, make: () => Tensor): Tensor {
    const kept = this.#kept.get(name);
    if (kept !== undefined) return kept;
    const made = this.tf.keep(this.tf.tidy(make));
    this.#kept.set(name, made);
    return made;
  }

  dispose(): void {
    for (const tensor of this.#kept.values()) tensor.dispose();
    this.#kept.clear();
  }
}

export interface Network {
  model: LayersModel;
  weights: WeightTensors;
}

/** Runs one feed-forward layer on float32 tensors, images as [n, height, width, channels]. Caller disposes the result. */
export function runLayer(network: Network, layer: Layer, inputs: readonly Tensor[]): Tensor {
  const { tf } = network.weights;
  switch (layer.class) {
    case "Concatenate":
      return tf.concat([...inputs], layer.config.axis);
    case "Add":
      return tf.addN([...inputs]);
    case "BatchNormalization":
      return normalize(network, layer, onlyInput(layer, inputs));
    case "MaxPooling2D": {
      const { pool_size: window, strides, padding } = layer.config;
      return tf.maxPool(imageOf(layer, inputs), window, strides, padding);
    }
    case "AveragePooling2D": {
      const { pool_size: window, strides, padding } = layer.config;
      return tf.avgPool(imageOf(layer, inputs), window, strides, padding);
    }
    case "GlobalAveragePooling2D":
      return tf.mean(imageOf(layer, inputs), [1, 2]);
    case "Activation":
      return layer.config.activation === "linear"
        ? tf.clone(onlyInput(layer, inputs)) // a tensor of its own, which stays when the input is freed
        : activate(tf, layer.config.activation, onlyInput(layer, inputs));
    case "Dense":
      return dense(network, layer, onlyInput(layer, inputs));
    case "Dropout":
      return tf.clone(onlyInput(layer, inputs)); // only active in training
    case "Conv2D":
    case "InputLayer":
    case "Embedding":
    case "LSTM":
      throw new Error(`layer ${layer.name}: a ${layer.class} is not supported here`);
  }
}

/** Applies an activation. Returns the values unchanged if it is linear. */
export function activate(tf: TensorFlow, activation: Activation, values: Tensor): Tensor {
  switch (activation) {
    case "linear":
      return values;
    case "relu":
      return tf.relu(values);
    case "sigmoid":
      return tf.sigmoid(values);
    case "hard_sigmoid":
      return tf.clipByValue(tf.add(tf.mul(values, 0.2), 0.5), 0, 1);
    case "tanh":
      return tf.tanh(values);
    case "softmax":
      return tf.softmax(values);
  }
}

function dense({ model, weights }: Network, layer: LayerOf<"Dense">, input: Tensor): Tensor {
  const { tf } = weights;
  const { units, use_bias: hasBias, activation } = layer.config;
  const [, size = 0] = input.shape;
  const weight = (name: string, shape: number[]) =>
    weights.get(`${layer.name}/${name}`, shape, () => model.weight(layer.name, name, shape).values);
  const product = tf.matMul(input, weight("kernel", [size, units]));
  return activate(tf, activation, hasBias ? tf.add(product, weight("bias", [units])) : product);
}

function normalize({ model, weights }: Network, layer: LayerOf<"BatchNormalization">, input: Tensor): Tensor {
  const { tf } = weights;
  const channels = input.shape.at(-1) ?? 0;
  const terms = () => batchNormalizationTerms(model, layer, { channels, rank: input.rank - 1 });
  const scale = weights.get(`${layer.name}/scale`, [channels], () => terms().scale);
  const shift = weights.get(`${layer.name}/shift`, [channels], () => terms().shift);
  return tf.add(tf.mul(input, scale), shift);
}

/** The only input of a layer. Throws if it has several or none. */
function onlyInput(layer: Layer, inputs: readonly Tensor[]): Tensor {
  const [input] = inputs;
  if (input === undefined || inputs.length !== 1) {
    throw new Error(`layer ${layer.name} (${layer.class}): expected one input, found ${inputs.length}`);
  }
  return input;
}

function imageOf(layer: Layer, inputs: readonly Tensor[]): Tensor4D {
  return asImage(layer, onlyInput(layer, inputs));
}

/** Checks that a layer's input is [n, height, width, channels]. */
export function asImage(layer: Layer, input: Tensor): Tensor4D {
  if (input.rank === 4) return input as Tensor4D;
  throw new Error(`layer ${layer.name} (${layer.class}): expected an image, found [${input.shape}]`);
}
