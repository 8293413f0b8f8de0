import { batchNormalizationTerms, type ConvolutionWeights } from "../networks/convolution-weights.ts";
import type { Layer, LayerOf } from "../networks/layers-model.ts";
import type { OnnxGraph } from "./graph.ts";
import { activate, type Compilation, type Value } from "./graph.ts";
import { type QuantizationParams, quantizeWeights } from "./quantize/quantize-weights.ts";

/** Adds a convolution with its activation: [channels, height, width] → [filters, height', width']. */
export function convolution(
  graph: OnnxGraph,
  { layer, input, weights }: { layer: LayerOf<"Conv2D">; input: Value; weights: ConvolutionWeights },
): Value {
  const { filters, kernel_size: kernelSize, activation } = layer.config;
  const { channels } = imageShape(layer, input);
  const { pads, size } = slideWindow(layer, { ...layer.config, window: kernelSize, input });
  const sizes = { area: kernelSize[0] * kernelSize[1], channels, filters };
  const dims = [filters, channels, ...kernelSize];
  const constants =
    input.quantization === undefined
      ? [
          graph.float32Constant(channelsFirst(weights.kernel, sizes), dims),
          graph.float32Constant(weights.bias, [filters]),
        ]
      : quantizedConstants(graph, { weights, sizes, dims, quantization: input.quantization });
  const attributes = { kernel_shape: kernelSize, strides: layer.config.strides, pads };
  const name = graph.node("Conv", [input.name, ...constants], attributes);
  return activate(graph, activation, { name, shape: [filters, ...size] });
}

interface KernelSizes {
  /** Height × width. */
  area: number;
  channels: number;
  filters: number;
}

/** Kernel and bias for a quantized input, as integers that ONNX Runtime multiplies directly. */
function quantizedConstants(
  graph: OnnxGraph,
  {
    weights,
    sizes,
    dims,
    quantization,
  }: { weights: ConvolutionWeights; sizes: KernelSizes; dims: number[]; quantization: QuantizationParams },
): string[] {
  const { kernel, scales, bias, biasScales } = quantizeWeights(weights, quantization);
  const zeros = [sizes.filters];
  const dequantized = (numbers: string, of: Float32Array, zeroPoints: string) =>
    graph.node("DequantizeLinear", [numbers, graph.float32Constant(of, zeros), zeroPoints], { axis: 0 });
  return [
    dequantized(
      graph.intConstant(channelsFirst(kernel, sizes), dims),
      scales,
      graph.intConstant(new Int8Array(sizes.filters), zeros),
    ),
    dequantized(graph.intConstant(bias, zeros), biasScales, graph.intConstant(new Int32Array(sizes.filters), zeros)),
  ];
}

/** Adds a batch normalisation that could not be folded into a convolution. */
export function batchNormalization(
  { graph, model }: Compilation,
  layer: LayerOf<"BatchNormalization">,
  input: Value,
): Value {
  const [channels = 0, ...space] = input.shape;
  const { scale, shift } = batchNormalizationTerms(model, layer, { channels, rank: input.shape.length });
  const dims = [channels, ...space.map(() => 1)];
  const scaled = graph.node("Mul", [input.name, graph.float32Constant(scale, dims)]);
  return { name: graph.node("Add", [scaled, graph.float32Constant(shift, dims)]), shape: input.shape };
}

/** Adds a pooling layer. TensorFlow ignores padding, both in the maximum and in the average. */
export function pooling(
  graph: OnnxGraph,
  layer: LayerOf<"MaxPooling2D"> | LayerOf<"AveragePooling2D">,
  input: Value,
): Value {
  const { pool_size: window, strides } = layer.config;
  const { channels } = imageShape(layer, input);
  const { pads, size } = slideWindow(layer, { ...layer.config, window, input });
  const operator = layer.class === "MaxPooling2D" ? "MaxPool" : "AveragePool";
  const name = graph.node(operator, [input.name], { kernel_shape: window, strides, pads });
  return { name, shape: [channels, ...size] };
}

/** Adds global average pooling: [channels, height, width] → [channels]. */
export function globalAverage(graph: OnnxGraph, layer: LayerOf<"GlobalAveragePooling2D">, input: Value): Value {
  const { channels } = imageShape(layer, input);
  const pooled = graph.node("GlobalAveragePool", [input.name]);
  return { name: graph.node("Flatten", [pooled]), shape: [channels] };
}

type Pair = readonly [number, number];

/** Explicit padding (ONNX' order: top, left, bottom, right) and output size, as TensorFlow computes them for `same` and `valid`. */
function slideWindow(
  layer: Layer,
  { window, strides, padding, input }: { window: Pair; strides: Pair; padding: "same" | "valid"; input: Value },
): { pads: number[]; size: [number, number] } {
  const { height, width } = imageShape(layer, input);
  const along = (length: number, axis: 0 | 1) => {
    const total = Math.max((Math.ceil(length / strides[axis]) - 1) * strides[axis] + window[axis] - length, 0);
    const padded = padding === "same" ? total : 0;
    const size = Math.floor((length + padded - window[axis]) / strides[axis]) + 1;
    if (size < 1) throw new Error(`layer ${layer.name}: its window is larger than its input, ${height}×${width}`);
    return { before: Math.floor(padded / 2), after: Math.ceil(padded / 2), size };
  };
  const [rows, columns] = [along(height, 0), along(width, 1)];
  return { pads: [rows.before, columns.before, rows.after, columns.after], size: [rows.size, columns.size] };
}

/** [height, width, in, out] → [out, in, height, width]. */
function channelsFirst<Numbers extends Float32Array | Int8Array>(
  kernel: Numbers,
  { area, channels, filters }: KernelSizes,
): Numbers {
  const reordered = kernel.slice() as Numbers;
  let source = 0;
  for (let position = 0; position < area; position++) {
    for (let channel = 0; channel < channels; channel++) {
      for (let filter = 0; filter < filters; filter++) {
        reordered[(filter * channels + channel) * area + position] = kernel[source++] ?? 0;
      }
    }
  }
  return reordered;
}

/** A value's [channels, height, width]. Throws, naming the layer that reads it, if it is not an image. */
export function imageShape(
  layer: Layer,
  { shape }: Pick<Value, "shape">,
): { channels: number; height: number; width: number } {
  const [channels, height, width] = shape;
  if (channels === undefined || height === undefined || width === undefined) {
    throw new Error(
      `layer ${layer.name} (${layer.class}): expected an image, found a value of rank ${shape.length + 1}`,
    );
  }
  return { channels, height, width };
}
