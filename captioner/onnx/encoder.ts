import type { Preprocessing } from "../../shared/manifest.ts";
import type { EncoderRanges } from "../../shared/ranges.ts";
import { foldedWeights } from "../networks/convolution-weights.ts";
import type { LayersModel } from "../networks/layers-model.ts";
import { walkEncoder } from "../networks/walk-encoder.ts";
import type { Compilation, Value } from "./compilation.ts";
import { convolution, imageShape } from "./convolution.ts";
import { type ChannelPart, DividedChannels, isHomogeneous, partsBehind } from "./divided-channels.ts";
import { OnnxGraph } from "./graph.ts";
import { asFloats, ByteHolder, type Holder, type MadeValue, Probe, type ProbedLayer } from "./held-values.ts";
import { averageLate } from "./late-averages.ts";
import { compileLayer } from "./layers.ts";
import { Pixels } from "./pixels.ts";
import { rangeOwners } from "./range-owners.ts";

export interface EncoderSpec {
  preprocessing: Preprocessing;
  featureSize: number;
}

/**
 * Compiles an encoder, whatever its layers are, to an ONNX file: `pixels` uint8 [n, height, width, 3], RGB, →
 * `features` float32 [n, featureSize]. Scaling happens inside the graph, and batch normalisation inside the
 * convolutions where it follows one.
 */
export function compileEncoder(model: LayersModel, spec: EncoderSpec): Uint8Array {
  return compile(model, spec, () => asFloats);
}

/** The same in eight bits: weights, and what passes between layers, in bytes that span their layers' ranges. */
export function compileByteEncoder(
  model: LayersModel,
  { ranges, shift, ...spec }: EncoderSpec & Pick<EncoderRanges, "ranges" | "divisors" | "shift">,
): Uint8Array {
  if (shift !== undefined && shift.length !== spec.featureSize) {
    throw new Error(`expected a shift of ${spec.featureSize} features, found ${shift.length}`);
  }
  return compile(averageLate(model), { ...spec, shift }, (graph) => new ByteHolder(graph, ranges));
}

/** The same in float32, with an output more for each layer that `compileByteEncoder` needs the range of: float32 [n, …]. */
export function compileProbes(
  model: LayersModel,
  spec: EncoderSpec & Pick<EncoderRanges, "divisors">,
): { bytes: Uint8Array; layers: readonly ProbedLayer[] } {
  const layers: ProbedLayer[] = [];
  const bytes = compile(averageLate(model), spec, (graph) => new Probe(graph, layers));
  return { bytes, layers };
}

function compile(
  model: LayersModel,
  { preprocessing, featureSize, divisors, shift }: EncoderSpec & Pick<EncoderRanges, "divisors" | "shift">,
  holderFor: (graph: OnnxGraph) => Holder,
): Uint8Array {
  const graph = new OnnxGraph();
  const pixels = new Pixels(graph, preprocessing);
  const features = compileLayers({
    graph,
    model,
    pixels,
    holder: holderFor(graph),
    divided: new DividedChannels(divisors),
  });
  if (features.shape.join() !== String(featureSize)) {
    throw new Error(`expected an encoder with features [n, ${featureSize}], found [n, ${features.shape.join(", ")}]`);
  }
  const shifted =
    shift === undefined
      ? features.name
      : graph.node("Add", [features.name, graph.floats(Float32Array.from(shift), [featureSize])]);
  graph.output(shifted, { name: "features", type: "float32", shape: ["photos", featureSize] });
  return graph.toBytes();
}

/** Layers whose work ONNX Runtime can do in bytes, convolutions aside. */
const byteClasses: ReadonlySet<string> = new Set([
  "MaxPooling2D",
  "AveragePooling2D",
  "GlobalAveragePooling2D",
  "Concatenate",
  "Add",
]);

function compileLayers(compilation: Compilation & { pixels: Pixels; holder: Holder; divided: DividedChannels }): Value {
  const { graph, model, pixels, holder, divided } = compilation;
  const ownerOf = rangeOwners(model);
  const madeBy = (layer: string, value: Value, parts: readonly ChannelPart[]): MadeValue => {
    return { ...value, layer, range: ownerOf(layer), parts };
  };
  const floatsOf = (input: MadeValue | Pixels) => (input instanceof Pixels ? input.scaled : input);
  const hold = (input: MadeValue | Pixels) => (input instanceof Pixels ? input.scaled : holder.hold(input));
  const features = walkEncoder<MadeValue | Pixels>(model, pixels, {
    convolve(input, layers) {
      const { convolution: layer, normalization = layer } = layers;
      const { filters: channels, activation } = layer.config;
      const parts = [isHomogeneous(activation) ? { channels, convolution: layer.name } : { channels }];
      const folded = foldedWeights(model, { ...layers, channels: imageShape(layer, input).channels });
      const weights = divided.divide(folded, { inputs: input.parts, outputs: parts });
      const isOfBytes = input instanceof Pixels && holder.isOfBytes && layer.config.padding === "valid";
      const work = isOfBytes ? input.convolveBytes(weights) : { input: hold(input), weights };
      return madeBy(normalization.name, convolution(graph, { layer, ...work }), parts);
    },
    apply(layer, inputs) {
      const read = inputs.map(byteClasses.has(layer.class) ? hold : floatsOf);
      const partsOfInputs = inputs.map(({ parts }) => parts);
      const parts = partsBehind(layer, partsOfInputs);
      if (parts !== undefined) return madeBy(layer.name, compileLayer(compilation, layer, read), parts);
      const whole = read.map((value, index) => divided.restore(graph, value, partsOfInputs[index] ?? []));
      const made = compileLayer(compilation, layer, whole);
      return madeBy(layer.name, made, [{ channels: made.shape[0] ?? 0 }]);
    },
  });
  return divided.restore(graph, floatsOf(features), features.parts);
}
