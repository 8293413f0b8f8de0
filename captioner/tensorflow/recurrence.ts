import type { Tensor, Tensor1D } from "@tensorflow/tfjs-node-gpu";
import type { LayerOf } from "../networks/layers-model.ts";
import type { TensorFlow } from "./binding.ts";
import { activate, type Network } from "./layers.ts";

/** Word vectors that are not looked up yet: rows of `table`, float32 [vocabularySize, size]. */
interface WordVectors {
  name: string;
  table: Tensor;
  /** int32 [rows]. */
  words: Tensor1D;
}

export type StepValue = Tensor | WordVectors;

/** Names of an LSTM's memory in the state, float32 [rows, units] each. */
export const hiddenOf = ({ name }: LayerOf<"LSTM">) => `${name} hidden`;
export const cellOf = ({ name }: LayerOf<"LSTM">) => `${name} cell`;

/** Looks up word vectors unless that is done: float32 [rows, size]. */
export function vectorsOf(tf: TensorFlow, value: StepValue): Tensor {
  return "table" in value ? tf.gather(value.table, value.words) : value;
}

/** An embedding's table with a step's words, for the next layer to look up. */
export function runEmbedding(
  { model, weights }: Network,
  { name, config }: LayerOf<"Embedding">,
  { words, vocabularySize }: { words: Tensor1D; vocabularySize: number },
): WordVectors {
  const { input_dim: rows, output_dim: size } = config;
  if (rows !== vocabularySize) {
    throw new Error(`layer ${name}: expected an embedding of ${vocabularySize} words, found ${rows}`);
  }
  const values = () => model.weight(name, "embeddings", [rows, size]).values;
  return { name, table: weights.get(`${name}/embeddings`, [rows, size], values), words };
}

/** Runs one step of Keras' LSTM, with gates in the order input, forget, candidate, output: → [rows, units]. */
export function runLstmStep(
  network: Network,
  layer: LayerOf<"LSTM">,
  { input, state }: { input: StepValue; state: Record<string, Tensor> },
): Tensor {
  const { model, weights } = network;
  const { tf } = weights;
  const { units, activation, recurrent_activation: gateActivation } = layer.config;
  const [hidden, cell] = [state[hiddenOf(layer)], state[cellOf(layer)]];
  if (hidden === undefined || cell === undefined) throw new Error(`layer ${layer.name} has no memory in the state`);
  const shape = [units, 4 * units];
  const recurrent = weights.get(
    `${layer.name}/recurrent_kernel`,
    shape,
    () => model.weight(layer.name, "recurrent_kernel", shape).values,
  );
  const sum = tf.add(gatesOfInput(network, layer, input), tf.matMul(hidden, recurrent));
  const [inputGate, forgetGate, candidate, outputGate] = tf.split(sum, 4, 1);
  if (inputGate === undefined || forgetGate === undefined || candidate === undefined || outputGate === undefined) {
    throw new Error(`layer ${layer.name}: expected four gates`);
  }
  const kept = tf.mul(activate(tf, gateActivation, forgetGate), cell);
  const added = tf.mul(activate(tf, gateActivation, inputGate), activate(tf, activation, candidate));
  const nextCell = tf.add(kept, added);
  const nextHidden = tf.mul(activate(tf, gateActivation, outputGate), activate(tf, activation, nextCell));
  state[cellOf(layer)] = nextCell;
  state[hiddenOf(layer)] = nextHidden;
  return nextHidden;
}

/** The input's share of the gates, [rows, 4 · units]: for a word, a row of a table that is multiplied only once. */
function gatesOfInput({ model, weights }: Network, layer: LayerOf<"LSTM">, input: StepValue): Tensor {
  const { tf } = weights;
  const { units, use_bias: hasBias } = layer.config;
  const weight = (name: string, shape: number[]) =>
    weights.get(`${layer.name}/${name}`, shape, () => model.weight(layer.name, name, shape).values);
  const gates = (vectors: Tensor) => {
    const product = tf.matMul(vectors, weight("kernel", [vectors.shape.at(-1) ?? 0, 4 * units]));
    return hasBias ? tf.add(product, weight("bias", [4 * units])) : product;
  };
  if (!("table" in input)) return gates(input);
  return tf.gather(
    weights.getOrMake(`${layer.name}/gates of ${input.name}`, () => gates(input.table)),
    input.words,
  );
}
