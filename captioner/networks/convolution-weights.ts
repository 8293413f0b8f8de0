import type { Layer, LayerOf, LayersModel } from "./layers-model.ts";

/** Kernel [height, width, in, out] as TensorFlow.js stores it, and one bias per output channel. */
export interface ConvolutionWeights {
  kernel: Float32Array;
  bias: Float32Array;
}

/** A convolution, and the batch normalisation after it if that can be folded in. */
export interface FoldedLayers {
  convolution: LayerOf<"Conv2D">;
  normalization: LayerOf<"BatchNormalization"> | undefined;
}

/** A convolution's own weights; the bias is zero if the layer has none. */
function convolutionWeights(model: LayersModel, layer: LayerOf<"Conv2D">, channels: number): ConvolutionWeights {
  const { filters, kernel_size: kernelSize, use_bias: hasBias } = layer.config;
  return {
    kernel: model.weight(layer.name, "kernel", [...kernelSize, channels, filters]).values,
    bias: hasBias ? model.weight(layer.name, "bias", [filters]).values : new Float32Array(filters),
  };
}

/** Batch normalisation at inference is y = x · scale + shift, per channel. */
export function batchNormalizationTerms(
  model: LayersModel,
  layer: LayerOf<"BatchNormalization">,
  { channels, rank }: { channels: number; rank: number },
): { scale: Float32Array; shift: Float32Array } {
  if (layer.config.axis !== -1 && layer.config.axis !== rank) {
    throw new Error(
      `layer ${layer.name}: expected a batch normalisation over channels, found axis ${layer.config.axis}`,
    );
  }
  const term = (name: string) => model.weight(layer.name, name, [channels]).values;
  const mean = term("moving_mean");
  const variance = term("moving_variance");
  const gamma = layer.config.scale ? term("gamma") : new Float32Array(channels).fill(1);
  const beta = layer.config.center ? term("beta") : new Float32Array(channels);
  const scale = gamma.map((value, channel) => value / Math.sqrt((variance[channel] ?? 0) + layer.config.epsilon));
  const shift = beta.map((value, channel) => value - (mean[channel] ?? 0) * (scale[channel] ?? 0));
  return { scale, shift };
}

/** Folds a batch normalisation into the weights of the convolution before it. */
function foldBatchNormalization(
  { kernel, bias }: ConvolutionWeights,
  { scale, shift }: { scale: Float32Array; shift: Float32Array },
): ConvolutionWeights {
  const channels = scale.length;
  const folded = new Float32Array(kernel.length);
  for (let index = 0, channel = 0; index < kernel.length; index++) {
    folded[index] = (kernel[index] ?? 0) * (scale[channel] ?? 0);
    channel = channel + 1 === channels ? 0 : channel + 1;
  }
  return {
    kernel: folded,
    bias: bias.map((value, channel) => value * (scale[channel] ?? 0) + (shift[channel] ?? 0)),
  };
}

/** Maps each batch normalisation to the linear convolution before it, if no other layer reads that convolution. */
export function foldableConvolutions(model: LayersModel): Map<Layer, LayerOf<"Conv2D">> {
  const readers = new Map<string, number>();
  for (const input of model.layers.flatMap(({ inputs }) => inputs)) readers.set(input, (readers.get(input) ?? 0) + 1);
  const layerByName = new Map(model.layers.map((layer) => [layer.name, layer]));
  const foldable = new Map<Layer, LayerOf<"Conv2D">>();
  for (const layer of model.layers) {
    const before = layerByName.get(layer.inputs[0] ?? "");
    if (layer.class !== "BatchNormalization" || before?.class !== "Conv2D") continue;
    if (before.config.activation === "linear" && readers.get(before.name) === 1) foldable.set(layer, before);
  }
  return foldable;
}

/** A convolution's weights, with the batch normalisation after it, if any, folded in. */
export function foldedWeights(
  model: LayersModel,
  { convolution, normalization, channels }: FoldedLayers & { channels: number },
): ConvolutionWeights {
  const weights = convolutionWeights(model, convolution, channels);
  if (normalization === undefined) return weights;
  const shape = { channels: convolution.config.filters, rank: 3 };
  return foldBatchNormalization(weights, batchNormalizationTerms(model, normalization, shape));
}
