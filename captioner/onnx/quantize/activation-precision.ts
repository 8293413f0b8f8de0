import type { EncoderRanges, Range } from "../../../shared/ranges.ts";
import type { Layer, LayersModel } from "../../networks/layers-model.ts";
import type { OnnxGraph, Value } from "../graph.ts";
import type { ChannelPart } from "./channel-equalization.ts";
import { paramsForRange, type QuantizationParams } from "./quantize-weights.ts";

export interface LayerOutput extends Value {
  /** The layer that computed it. */
  layer: string;
  /** The layer whose range its quantization uses. */
  range: string;
  /** Its channels, in order. */
  parts: readonly ChannelPart[];
}

/** The precision in which a value passes from the layer that computed it to those that read it. */
export interface ActivationPrecision {
  /** Whether values pass as 8-bit integers. */
  readonly isInt8: boolean;
  apply(value: LayerOutput): Value;
}

/** Values pass unchanged, in float32. */
export const float32Activations: ActivationPrecision = { isInt8: false, apply: (value) => value };

/**
 * Values pass through a QuantizeLinear and a DequantizeLinear node. ONNX Runtime fuses these pairs into the operators between
 * them, which then compute in integers.
 */
export class Int8Activations implements ActivationPrecision {
  readonly isInt8 = true;
  readonly #graph: OnnxGraph;
  readonly #ranges: EncoderRanges["ranges"];
  readonly #held = new Map<string, Value>();

  constructor(graph: OnnxGraph, ranges: EncoderRanges["ranges"]) {
    this.#graph = graph;
    this.#ranges = ranges;
  }

  apply(value: LayerOutput): Value {
    const held = this.#held.get(value.name) ?? this.#quantizeAndBack(value);
    this.#held.set(value.name, held);
    return held;
  }

  #quantizeAndBack({ name, shape, range }: LayerOutput): Value {
    const quantization = paramsForRange(this.#rangeOf(range));
    const constants = quantizationConstants(this.#graph, quantization);
    const bytes = this.#graph.node("QuantizeLinear", [name, ...constants]);
    return { name: this.#graph.node("DequantizeLinear", [bytes, ...constants]), shape, quantization };
  }

  #rangeOf(layer: string): Range {
    const range = this.#ranges[layer];
    if (range === undefined) throw new Error(`expected the range of layer ${layer}, found none`);
    return range;
  }
}

/** A layer whose output is observed, and its channels. */
export type ProbedLayer = { name: string; parts: readonly ChannelPart[] };

/** Values pass unchanged, and each whose range `Int8Activations` needs becomes an output of the graph. */
export class ActivationProbe implements ActivationPrecision {
  readonly isInt8 = false;
  readonly #graph: OnnxGraph;
  readonly #layers: ProbedLayer[];

  constructor(graph: OnnxGraph, layers: ProbedLayer[]) {
    this.#graph = graph;
    this.#layers = layers;
  }

  apply(value: LayerOutput): Value {
    const { name, shape, layer, range, parts } = value;
    if (layer === range && !this.#layers.some(({ name }) => name === layer)) {
      this.#layers.push({ name: layer, parts });
      this.#graph.output(name, { name: layer, type: "float32", shape: ["photos", ...shape] });
    }
    return value;
  }
}

/** Scale and zero point as constants of the graph, in the form that QuantizeLinear takes. */
export function quantizationConstants(graph: OnnxGraph, { scale, zeroPoint }: QuantizationParams): [string, string] {
  return [graph.float32Constant(Float32Array.of(scale), []), graph.intConstant(Uint8Array.of(zeroPoint), [])];
}

/**
 * Maps each layer to the layer whose range quantizes its output, so that bytes pass on without requantization: max pooling
 * only selects among its input's values, and a value that only a concatenation reads is part of the concatenated one.
 */
export function rangeOwners(model: LayersModel): (layer: string) => string {
  const layerByName = new Map(model.layers.map((layer) => [layer.name, layer]));
  const readers = new Map<string, Layer[]>();
  for (const layer of model.layers) {
    for (const input of layer.inputs) readers.set(input, [...(readers.get(input) ?? []), layer]);
  }
  const ownerOf = (name: string): string => {
    const layer = layerByName.get(name);
    const [before] = layer?.inputs ?? [];
    if (layer?.class === "MaxPooling2D" && before !== undefined) return ownerOf(before);
    const [reader, another] = readers.get(name) ?? [];
    return reader?.class === "Concatenate" && another === undefined ? ownerOf(reader.name) : name;
  };
  return ownerOf;
}
