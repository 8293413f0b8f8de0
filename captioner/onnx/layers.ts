import type { Layer, LayerOf } from "../networks/layers-model.ts";
import { batchNormalization, globalAverage, pooling } from "./convolution.ts";
import type { OnnxGraph } from "./graph.ts";
import { activate, type Compilation, type Value } from "./graph.ts";

/** Adds one feed-forward layer to the graph. Checks sizes; an error names the layer. */
export function compileLayer(compilation: Compilation, layer: Layer, inputs: readonly Value[]): Value {
  switch (layer.class) {
    case "BatchNormalization":
      return batchNormalization(compilation, layer, onlyInput(layer, inputs));
    case "MaxPooling2D":
    case "AveragePooling2D":
      return pooling(compilation.graph, layer, onlyInput(layer, inputs));
    case "GlobalAveragePooling2D":
      return globalAverage(compilation.graph, layer, onlyInput(layer, inputs));
    case "Activation":
      return activate(compilation.graph, layer.config.activation, onlyInput(layer, inputs));
    case "Dense":
      return dense(compilation, layer, onlyInput(layer, inputs));
    case "Dropout":
      return onlyInput(layer, inputs); // only active in training
    case "Concatenate":
      return concatenate(compilation.graph, layer, inputs);
    case "Add":
      return add(compilation.graph, layer, inputs);
    case "Conv2D":
    case "InputLayer":
    case "Embedding":
    case "LSTM":
      throw new Error(`layer ${layer.name}: a ${layer.class} is not supported here`);
  }
}

/** The only input of a layer. Throws, naming the layer, if it has none or several. */
export function onlyInput(layer: Layer, inputs: readonly Value[]): Value {
  const [input] = inputs;
  if (input === undefined || inputs.length !== 1) {
    throw new Error(`layer ${layer.name} (${layer.class}): expected one input, found ${inputs.length}`);
  }
  return input;
}

/** [n, size] → [n, units]. */
function dense({ graph, model }: Compilation, layer: LayerOf<"Dense">, input: Value): Value {
  const size = vectorSize(layer, input);
  const { units, use_bias: hasBias, activation } = layer.config;
  const kernel = graph.float32Constant(model.weight(layer.name, "kernel", [size, units]).values, [size, units]);
  const bias = hasBias ? [graph.float32Constant(model.weight(layer.name, "bias", [units]).values, [units])] : [];
  return activate(graph, activation, { name: graph.node("Gemm", [input.name, kernel, ...bias]), shape: [units] });
}

/** Joins along the channels: Keras' last axis, the first here; for vectors both are axis 1. */
function concatenate(graph: OnnxGraph, layer: LayerOf<"Concatenate">, inputs: readonly Value[]): Value {
  const [first] = inputs;
  const rank = first?.shape.length ?? 0;
  const isChannelAxis = layer.config.axis === -1 || layer.config.axis === rank;
  if (
    first === undefined ||
    !isChannelAxis ||
    inputs.some(({ shape }) => shape.slice(1).join() !== first.shape.slice(1).join())
  ) {
    throw new Error(`layer ${layer.name}: expected inputs that agree but for their last axis, ${describe(inputs)}`);
  }
  const channels = inputs.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  const name = graph.node(
    "Concat",
    inputs.map(({ name }) => name),
    { axis: 1 },
  );
  return { name, shape: [channels, ...first.shape.slice(1)] };
}

function add(graph: OnnxGraph, layer: LayerOf<"Add">, inputs: readonly Value[]): Value {
  const [first, ...rest] = inputs;
  if (first === undefined || rest.some(({ shape }) => shape.join() !== first.shape.join())) {
    throw new Error(`layer ${layer.name}: expected inputs of one shape, ${describe(inputs)}`);
  }
  const name = rest.reduce((sum, value) => graph.node("Add", [sum, value.name]), first.name);
  return { name, shape: first.shape };
}

/** The width of a float32 [n, size] value. */
export function vectorSize(layer: Layer, { shape }: Value): number {
  const [size] = shape;
  if (size === undefined || shape.length !== 1) {
    throw new Error(
      `layer ${layer.name}: expected an input of shape [n, size], found ${describe([{ name: "", shape }])}`,
    );
  }
  return size;
}

function describe(values: readonly Value[]): string {
  return `found ${values.map(({ shape }) => `[${["n", ...shape].join(", ")}]`).join(" and ")}`;
}
