import type { Divisors } from "../../../shared/ranges.ts";
import type { ConvolutionWeights } from "../../networks/convolution-weights.ts";
import type { Layer } from "../../networks/layers-model.ts";
import type { OnnxGraph, Value } from "../graph.ts";

/** Consecutive channels of a value, and the convolution that computed them, if scaling its filters scales them. */
export interface ChannelPart {
  channels: number;
  convolution?: string;
}

/**
 * Channel equalization (Nagel et al. 2019): channels with large activations are scaled down, so that one quantization fits
 * all channels of a value. A value stays scaled until a convolution reads it, whose kernel scales it back.
 */
export class ChannelEqualization {
  readonly #divisors: Divisors;

  constructor(divisors: Divisors = {}) {
    this.#divisors = divisors;
  }

  /** Folds the scales of inputs and outputs into the weights of a convolution. */
  scaleWeights(
    { kernel, bias }: ConvolutionWeights,
    { inputs, outputs }: { inputs: readonly ChannelPart[]; outputs: readonly ChannelPart[] },
  ): ConvolutionWeights {
    const [read, made] = [this.#divisorsOf(inputs), this.#divisorsOf(outputs)];
    if (read === undefined && made === undefined) return { kernel, bias };
    const filters = bias.length;
    const divided = new Float32Array(kernel.length);
    for (let index = 0, filter = 0, channel = 0; index < kernel.length; index++) {
      divided[index] = ((kernel[index] ?? 0) * (read?.[channel] ?? 1)) / (made?.[filter] ?? 1);
      filter = filter + 1 === filters ? 0 : filter + 1;
      if (filter === 0) channel = channel + 1 === read?.length ? 0 : channel + 1;
    }
    return { kernel: divided, bias: bias.map((value, filter) => value / (made?.[filter] ?? 1)) };
  }

  /** Scales a value back, for a layer that is no convolution. */
  restore(graph: OnnxGraph, value: Value, parts: readonly ChannelPart[]): Value {
    const divisors = this.#divisorsOf(parts);
    if (divisors === undefined) return value;
    const dims = [divisors.length, ...value.shape.slice(1).map(() => 1)];
    return { name: graph.node("Mul", [value.name, graph.float32Constant(divisors, dims)]), shape: value.shape };
  }

  #divisorsOf(parts: readonly ChannelPart[]): Float32Array | undefined {
    const known = parts.map(({ convolution = "", channels }) => {
      const divisors = this.#divisors[convolution];
      if (divisors !== undefined && divisors.length !== channels) {
        throw new Error(`layer ${convolution}: expected ${channels} divisors, found ${divisors.length}`);
      }
      return divisors;
    });
    if (known.every((divisors) => divisors === undefined)) return undefined;
    return Float32Array.from(
      known.flatMap((divisors, part) => divisors ?? new Array<number>(parts[part]?.channels ?? 0).fill(1)),
    );
  }
}

/** The channels of a layer's output; undefined if scaling its inputs does not scale its output alike. */
export function partsAfter(
  layer: Layer,
  inputs: ReadonlyArray<readonly ChannelPart[]>,
): readonly ChannelPart[] | undefined {
  switch (layer.class) {
    case "MaxPooling2D":
    case "AveragePooling2D":
    case "GlobalAveragePooling2D":
    case "Dropout":
    case "Concatenate":
      return inputs.flat();
    case "Activation":
      return isHomogeneous(layer.config.activation) ? inputs.flat() : undefined;
    default:
      return undefined;
  }
}

/** Whether f(s·x) = s·f(x) for every s > 0. */
export function isHomogeneous(activation: string): boolean {
  return activation === "linear" || activation === "relu";
}
