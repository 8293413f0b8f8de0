import type { Range } from "../../../shared/ranges.ts";
import type { ConvolutionWeights } from "../../networks/convolution-weights.ts";

/** Affine quantization to uint8: number = (byte − zeroPoint) · scale, for bytes 0 to 255. */
export interface QuantizationParams {
  scale: number;
  zeroPoint: number;
}

/** A kernel in int8 and its bias in int32, quantized per channel: the kernel of filter f is kernel · scales[f], its bias bias · biasScales[f]. */
export interface QuantizedWeights {
  /** Weights in the order of the float32 kernel. */
  kernel: Int8Array;
  scales: Float32Array;
  bias: Int32Array;
  biasScales: Float32Array;
}

/** The largest magnitude of an int8 weight; symmetric, so −128 is not used. */
const largestWeight = 127;

/** Keeps the int32 accumulator, bias and products together, from overflowing. */
const largestBias = 2 ** 29;

/** The scale of a filter whose weights are all zero. */
const smallestScale = 1e-20;

/** Parameters that cover a range and represent zero exactly, since padding is zero. */
export function paramsForRange([low, high]: Range): QuantizationParams {
  const [from, to] = [Math.min(low, 0), Math.max(high, 0)];
  const scale = Math.fround(Math.max(to - from, 1e-6) / 255);
  return { scale, zeroPoint: Math.round(-from / scale) };
}

/** Quantizes a convolution's weights (filters last) per channel, for an input quantized with `quantization`. */
export function quantizeWeights(
  { kernel, bias }: ConvolutionWeights,
  quantization: QuantizationParams,
): QuantizedWeights {
  const filters = bias.length;
  const largest = new Float32Array(filters);
  for (let index = 0, filter = 0; index < kernel.length; index++) {
    const size = Math.abs(kernel[index] ?? 0);
    if (size > (largest[filter] ?? 0)) largest[filter] = size;
    filter = filter + 1 === filters ? 0 : filter + 1;
  }
  const scales = largest.map((size, filter) => {
    const ofBias = Math.abs(bias[filter] ?? 0) / quantization.scale / largestBias;
    return Math.max(size / largestWeight, ofBias, smallestScale);
  });
  const whole = new Int8Array(kernel.length);
  for (let index = 0, filter = 0; index < kernel.length; index++) {
    whole[index] = Math.round((kernel[index] ?? 0) / (scales[filter] ?? 1));
    filter = filter + 1 === filters ? 0 : filter + 1;
  }
  const biasScales = scales.map((scale) => scale * quantization.scale);
  return {
    kernel: whole,
    scales,
    bias: Int32Array.from(bias, (value, filter) => Math.round(value / (biasScales[filter] ?? 1))),
    biasScales,
  };
}
