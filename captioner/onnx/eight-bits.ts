import type { Range } from "../../shared/ranges.ts";
import type { ConvolutionWeights } from "../networks/convolution-weights.ts";

/** How real numbers stand in bytes: number = (byte − zeroPoint) · scale, for bytes 0 to 255. */
export interface Grid {
  scale: number;
  zeroPoint: number;
}

/** A kernel and its bias in whole numbers: for filter f, kernel · scales[f] and bias · biasScales[f]. */
export interface WholeWeights {
  /** The order of the kernel that was given. */
  kernel: Int8Array;
  scales: Float32Array;
  bias: Int32Array;
  biasScales: Float32Array;
}

/** Of a weight in eight bits. */
const largestWeight = 127;

/** A bias and all products together stay well inside 32 bits. */
const largestBias = 2 ** 29;

/** Of a filter whose weights are all zero. */
const smallestScale = 1e-20;

/** The grid of a range, zero on it: padding is zero. */
export function gridOf([low, high]: Range): Grid {
  const [from, to] = [Math.min(low, 0), Math.max(high, 0)];
  const scale = Math.fround(Math.max(to - from, 1e-6) / 255);
  return { scale, zeroPoint: Math.round(-from / scale) };
}

/** A convolution's weights, filters last, for an input on `grid`: a scale a filter, as fine as its largest weight allows. */
export function toWholeNumbers({ kernel, bias }: ConvolutionWeights, grid: Grid): WholeWeights {
  const filters = bias.length;
  const largest = new Float32Array(filters);
  for (let index = 0, filter = 0; index < kernel.length; index++) {
    const size = Math.abs(kernel[index] ?? 0);
    if (size > (largest[filter] ?? 0)) largest[filter] = size;
    filter = filter + 1 === filters ? 0 : filter + 1;
  }
  const scales = largest.map((size, filter) => {
    const ofBias = Math.abs(bias[filter] ?? 0) / grid.scale / largestBias;
    return Math.max(size / largestWeight, ofBias, smallestScale);
  });
  const whole = new Int8Array(kernel.length);
  for (let index = 0, filter = 0; index < kernel.length; index++) {
    whole[index] = Math.round((kernel[index] ?? 0) / (scales[filter] ?? 1));
    filter = filter + 1 === filters ? 0 : filter + 1;
  }
  const biasScales = scales.map((scale) => scale * grid.scale);
  return {
    kernel: whole,
    scales,
    bias: Int32Array.from(bias, (value, filter) => Math.round(value / (biasScales[filter] ?? 1))),
    biasScales,
  };
}
