import type { Activation, LayersModel } from "../networks/layers-model.ts";
import type { OnnxGraph } from "./graph.ts";
import type { QuantizationParams } from "./quantize/quantize-weights.ts";

/** A value of the graph: float32 [n, ...shape]. Images lie channels first, shape [channels, height, width]. */
export interface Value {
  name: string;
  shape: readonly number[];
  /** Present where the value passed through quantization: it holds no numbers but those that bytes stand for. */
  quantization?: QuantizationParams;
}

/** The graph being built and the model it is built from. */
export interface Compilation {
  graph: OnnxGraph;
  model: LayersModel;
}

const activationNodes = {
  relu: ["Relu", {}],
  sigmoid: ["Sigmoid", {}],
  hard_sigmoid: ["HardSigmoid", { alpha: { float: 0.2 }, beta: { float: 0.5 } }],
  tanh: ["Tanh", {}],
  softmax: ["Softmax", { axis: -1 }],
} as const;

/** Adds an activation to the graph: the value itself where it is linear. */
export function activate(graph: OnnxGraph, activation: Activation, input: Value): Value {
  if (activation === "linear") return input;
  const [operator, attributes] = activationNodes[activation];
  return { name: graph.node(operator, [input.name], attributes), shape: input.shape };
}
