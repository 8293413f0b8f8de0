import type { LayerOf } from "../networks/layers-model.ts";
import type { OnnxGraph } from "./graph.ts";
import { activate, type Compilation, type Value } from "./graph.ts";
import { vectorSize } from "./layers.ts";

/** One tensor of a decoder's state, float32 [rows, size]. */
export interface StateTensor {
  name: string;
  size: number;
  /** `context` depends on the photo alone; `memory` starts at zero and changes with each word. */
  kind: "context" | "memory";
}

/** The name of a state tensor among the step graph's outputs. */
export const nextName = (name: string) => `next ${name}`;

/** Inputs and outputs for the step graph's state: each row reads its parent row's previous state and writes its own. */
export class StepState {
  readonly memory: StateTensor[] = [];
  readonly #graph: OnnxGraph;
  readonly #parents: string;

  constructor(graph: OnnxGraph) {
    this.#graph = graph;
    this.#parents = graph.input("parents", "int32", ["rows"]);
  }

  read({ name, size }: StateTensor): Value {
    const previous = this.#graph.input(name, "float32", ["parents", size]);
    return { name: this.#graph.node("Gather", [previous, this.#parents], { axis: 0 }), shape: [size] };
  }

  write({ name, size }: StateTensor, value: Value): void {
    this.#graph.output(value.name, { name: nextName(name), type: "float32", shape: ["rows", size] });
  }
}

/** The vectors of a step's words, which are rows of a constant table. */
export interface WordVectors extends Value {
  /** float32 [vocabularySize, size]. */
  table: string;
  /** int32 [rows]. */
  words: string;
}

/** Adds an embedding: word ids → [rows, output_dim]. */
export function compileEmbedding(
  { graph, model }: Compilation,
  layer: LayerOf<"Embedding">,
  { words, vocabularySize }: { words: string; vocabularySize: number },
): WordVectors {
  const { input_dim: rows, output_dim: size } = layer.config;
  if (rows !== vocabularySize) {
    throw new Error(`layer ${layer.name}: expected an embedding of ${vocabularySize} words, found ${rows}`);
  }
  const table = graph.float32Constant(model.weight(layer.name, "embeddings", [rows, size]).values, [rows, size]);
  return { name: graph.node("Gather", [table, words], { axis: 0 }), shape: [size], table, words };
}

/** Adds one step of Keras' LSTM, with gates in the order input, forget, candidate, output: [rows, size] → [rows, units]. */
export function compileLstmStep(
  compilation: Compilation,
  layer: LayerOf<"LSTM">,
  { input, state }: { input: Value | WordVectors; state: StepState },
): Value {
  const { graph, model } = compilation;
  const { units, activation, recurrent_activation: gateActivation } = layer.config;
  const hiddenTensor: StateTensor = { name: `${layer.name} hidden`, size: units, kind: "memory" };
  const cellTensor: StateTensor = { name: `${layer.name} cell`, size: units, kind: "memory" };
  const kernel = model.weight(layer.name, "recurrent_kernel", [units, 4 * units]).values;
  const recurrentKernel = graph.float32Constant(kernel, [units, 4 * units]);
  const fromInput = gatesOfInput(compilation, layer, input);
  const sum = graph.node("Gemm", [state.read(hiddenTensor).name, recurrentKernel, fromInput]);
  const gates = graph.nodes("Split", [sum], { attributes: { axis: 1 }, outputs: 4 });
  const gate = (index: number, kind: typeof activation) =>
    activate(graph, kind, { name: gates[index] ?? "", shape: [units] }).name;

  const kept = graph.node("Mul", [gate(1, gateActivation), state.read(cellTensor).name]);
  const added = graph.node("Mul", [gate(0, gateActivation), gate(2, activation)]);
  const cell: Value = { name: graph.node("Add", [kept, added]), shape: [units] };
  const shown = activate(graph, activation, cell);
  const hidden: Value = { name: graph.node("Mul", [gate(3, gateActivation), shown.name]), shape: [units] };
  state.write(hiddenTensor, hidden);
  state.write(cellTensor, cell);
  state.memory.push(hiddenTensor, cellTensor);
  return hidden;
}

/**
 * The input's share of the gates, [rows, 4 · units]. For word vectors it is a constant per word: ONNX Runtime multiplies the
 * whole table once, when it loads the graph, and a step only gathers rows of it.
 */
function gatesOfInput({ graph, model }: Compilation, layer: LayerOf<"LSTM">, input: Value | WordVectors): string {
  const { units, use_bias: hasBias } = layer.config;
  const size = vectorSize(layer, input);
  const weight = (name: string, shape: number[]) =>
    graph.float32Constant(model.weight(layer.name, name, shape).values, shape);
  const weights = [weight("kernel", [size, 4 * units]), ...(hasBias ? [weight("bias", [4 * units])] : [])];
  if (!("table" in input)) return graph.node("Gemm", [input.name, ...weights]);
  return graph.node("Gather", [graph.node("Gemm", [input.table, ...weights]), input.words], { axis: 0 });
}
