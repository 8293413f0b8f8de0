import type { EncoderRanges, Range } from "../../shared/ranges.ts";
import type { Value } from "./compilation.ts";
import type { ChannelPart } from "./divided-channels.ts";
import { type Grid, gridOf } from "./eight-bits.ts";
import type { OnnxGraph } from "./graph.ts";

export interface MadeValue extends Value {
  /** That made it. */
  layer: string;
  /** The layer in whose range it is held. */
  range: string;
  /** Its channels, in their order. */
  parts: readonly ChannelPart[];
}

/** What becomes of a value on the way from the layer that made it to one that reads it. */
export interface Holder {
  /** Whether it holds values in bytes. */
  readonly isOfBytes: boolean;
  hold(value: MadeValue): Value;
}

/** Leaves values as they are. */
export const asFloats: Holder = { isOfBytes: false, hold: (value) => value };

/**
 * Holds values in bytes by ONNX' pair of quantising and dequantising. ONNX Runtime takes the pairs into the operators
 * between them, which then compute in whole numbers.
 */
export class ByteHolder implements Holder {
  readonly isOfBytes = true;
  readonly #graph: OnnxGraph;
  readonly #ranges: EncoderRanges["ranges"];
  readonly #held = new Map<string, Value>();

  constructor(graph: OnnxGraph, ranges: EncoderRanges["ranges"]) {
    this.#graph = graph;
    this.#ranges = ranges;
  }

  hold(value: MadeValue): Value {
    const held = this.#held.get(value.name) ?? this.#toBytesAndBack(value);
    this.#held.set(value.name, held);
    return held;
  }

  #toBytesAndBack({ name, shape, range }: MadeValue): Value {
    const grid = gridOf(this.#rangeOf(range));
    const constants = gridConstants(this.#graph, grid);
    const bytes = this.#graph.node("QuantizeLinear", [name, ...constants]);
    return { name: this.#graph.node("DequantizeLinear", [bytes, ...constants]), shape, grid };
  }

  #rangeOf(layer: string): Range {
    const range = this.#ranges[layer];
    if (range === undefined) throw new Error(`expected the range of layer ${layer}, found none`);
    return range;
  }
}

/** A layer that is looked at, and its channels. */
export type ProbedLayer = { name: string; parts: readonly ChannelPart[] };

/** Leaves values as they are, and makes an output of the graph of each that a `ByteHolder` would ask the range of. */
export class Probe implements Holder {
  readonly isOfBytes = false;
  readonly #graph: OnnxGraph;
  readonly #layers: ProbedLayer[];

  constructor(graph: OnnxGraph, layers: ProbedLayer[]) {
    this.#graph = graph;
    this.#layers = layers;
  }

  hold(value: MadeValue): Value {
    const { name, shape, layer, range, parts } = value;
    if (layer === range && !this.#layers.some(({ name }) => name === layer)) {
      this.#layers.push({ name: layer, parts });
      this.#graph.output(name, { name: layer, type: "float32", shape: ["photos", ...shape] });
    }
    return value;
  }
}

/** A grid's scale and zero point, as ONNX takes them. */
export function gridConstants(graph: OnnxGraph, { scale, zeroPoint }: Grid): [string, string] {
  return [graph.floats(Float32Array.of(scale), []), graph.wholes(Uint8Array.of(zeroPoint), [])];
}
