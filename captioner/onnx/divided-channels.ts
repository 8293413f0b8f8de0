import type { Divisors } from "../../shared/ranges.ts";
import type { ConvolutionWeights } from "../networks/convolution-weights.ts";
import type { Layer } from "../networks/layers-model.ts";
import type { Value } from "./compilation.ts";
import type { OnnxGraph } from "./graph.ts";

/** Channels that lie together in a value, and the convolution that they come from where dividing its own divides them. */
export interface ChannelPart {
  channels: number;
  convolution?: string;
}

/**
 * What the channels of convolutions are divided by, so that one grid of bytes fits those that reach far and those that
 * do not: a value's numbers stand divided until a convolution reads them, whose kernel multiplies it back.
 */
export class DividedChannels {
  readonly #divisors: Divisors;

  constructor(divisors: Divisors = {}) {
    this.#divisors = divisors;
  }

  /** The weights of a convolution that reads divided channels and makes such. */
  divide(
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

  /** A value as it is without any division. */
  restore(graph: OnnxGraph, value: Value, parts: readonly ChannelPart[]): Value {
    const divisors = this.#divisorsOf(parts);
    if (divisors === undefined) return value;
    const dims = [divisors.length, ...value.shape.slice(1).map(() => 1)];
    return { name: graph.node("Mul", [value.name, graph.floats(divisors, dims)]), shape: value.shape };
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

/** The channels that a layer makes of its inputs'; undefined where multiples of these do not become the same multiples. */
export function partsBehind(
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

/** Whether an activation makes of a positive multiple the same multiple. */
export function isHomogeneous(activation: string): boolean {
  return activation === "linear" || activation === "relu";
}
