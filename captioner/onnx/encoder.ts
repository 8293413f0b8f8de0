import type { Preprocessing } from "../../shared/manifest.ts";
import type { EncoderRanges } from "../../shared/ranges.ts";
import { foldedWeights } from "../networks/convolution-weights.ts";
import type { LayersModel } from "../networks/layers-model.ts";
import { walkEncoder } from "../networks/walk-encoder.ts";
import { convolution, imageShape } from "./convolution.ts";
import type { Compilation, Value } from "./graph.ts";
import { OnnxGraph } from "./graph.ts";
import { compileLayer } from "./layers.ts";
import { Pixels } from "./pixels.ts";
import {
  type ActivationPrecision,
  ActivationProbe,
  float32Activations,
  Int8Activations,
  type LayerOutput,
  type ProbedLayer,
  rangeOwners,
} from "./quantize/activation-precision.ts";
import { ChannelEqualization, type ChannelPart, isHomogeneous, partsAfter } from "./quantize/channel-equalization.ts";
import { movePoolingAfterPointwise } from "./quantize/move-pooling-after-pointwise.ts";

export interface EncoderSpec {
  preprocessing: Preprocessing;
  featureSize: number;
}

/**
 * Compiles an encoder, whatever its layers are, to an ONNX file: `pixels` uint8 [n, height, width, 3], RGB, →
 * `features` float32 [n, featureSize]. The graph scales the pixels itself, and batch normalisations are folded into the
 * convolutions before them.
 */
export function compileEncoder(model: LayersModel, spec: EncoderSpec): Uint8Array {
  return compile(model, spec, () => float32Activations);
}

/** The same in int8: weights are quantized per channel, activations by the measured ranges of their layers. */
export function compileInt8Encoder(
  model: LayersModel,
  { ranges, shift, ...spec }: EncoderSpec & Pick<EncoderRanges, "ranges" | "divisors" | "shift">,
): Uint8Array {
  if (shift !== undefined && shift.length !== spec.featureSize) {
    throw new Error(`expected a shift of ${spec.featureSize} features, found ${shift.length}`);
  }
  return compile(movePoolingAfterPointwise(model), { ...spec, shift }, (graph) => new Int8Activations(graph, ranges));
}

/** The same in float32, with one more output for each layer whose range `compileInt8Encoder` needs: float32 [n, …]. */
export function compileProbes(
  model: LayersModel,
  spec: EncoderSpec & Pick<EncoderRanges, "divisors">,
): { bytes: Uint8Array; layers: readonly ProbedLayer[] } {
  const layers: ProbedLayer[] = [];
  const bytes = compile(movePoolingAfterPointwise(model), spec, (graph) => new ActivationProbe(graph, layers));
  return { bytes, layers };
}

function compile(
  model: LayersModel,
  { preprocessing, featureSize, divisors, shift }: EncoderSpec & Pick<EncoderRanges, "divisors" | "shift">,
  activationsFor: (graph: OnnxGraph) => ActivationPrecision,
): Uint8Array {
  const graph = new OnnxGraph();
  const pixels = new Pixels(graph, preprocessing);
  const features = compileLayers({
    graph,
    model,
    pixels,
    activations: activationsFor(graph),
    equalization: new ChannelEqualization(divisors),
  });
  if (features.shape.join() !== String(featureSize)) {
    throw new Error(`expected an encoder with features [n, ${featureSize}], found [n, ${features.shape.join(", ")}]`);
  }
  const shifted =
    shift === undefined
      ? features.name
      : graph.node("Add", [features.name, graph.float32Constant(Float32Array.from(shift), [featureSize])]);
  graph.output(shifted, { name: "features", type: "float32", shape: ["photos", featureSize] });
  return graph.toBytes();
}

/** Layers that ONNX Runtime can run in int8, besides convolutions. */
const byteClasses: ReadonlySet<string> = new Set([
  "MaxPooling2D",
  "AveragePooling2D",
  "GlobalAveragePooling2D",
  "Concatenate",
  "Add",
]);

function compileLayers(
  compilation: Compilation & { pixels: Pixels; activations: ActivationPrecision; equalization: ChannelEqualization },
): Value {
  const { graph, model, pixels, activations, equalization } = compilation;
  const ownerOf = rangeOwners(model);
  const madeBy = (layer: string, value: Value, parts: readonly ChannelPart[]): LayerOutput => {
    return { ...value, layer, range: ownerOf(layer), parts };
  };
  const floatsOf = (input: LayerOutput | Pixels) => (input instanceof Pixels ? input.scaled : input);
  const toPrecision = (input: LayerOutput | Pixels) =>
    input instanceof Pixels ? input.scaled : activations.apply(input);
  const features = walkEncoder<LayerOutput | Pixels>(model, pixels, {
    convolve(input, layers) {
      const { convolution: layer, normalization = layer } = layers;
      const { filters: channels, activation } = layer.config;
      const parts = [isHomogeneous(activation) ? { channels, convolution: layer.name } : { channels }];
      const folded = foldedWeights(model, { ...layers, channels: imageShape(layer, input).channels });
      const weights = equalization.scaleWeights(folded, { inputs: input.parts, outputs: parts });
      const isInt8 = input instanceof Pixels && activations.isInt8 && layer.config.padding === "valid";
      const work = isInt8 ? input.convolveBytes(weights) : { input: toPrecision(input), weights };
      return madeBy(normalization.name, convolution(graph, { layer, ...work }), parts);
    },
    apply(layer, inputs) {
      const read = inputs.map(byteClasses.has(layer.class) ? toPrecision : floatsOf);
      const partsOfInputs = inputs.map(({ parts }) => parts);
      const parts = partsAfter(layer, partsOfInputs);
      if (parts !== undefined) return madeBy(layer.name, compileLayer(compilation, layer, read), parts);
      const whole = read.map((value, index) => equalization.restore(graph, value, partsOfInputs[index] ?? []));
      const made = compileLayer(compilation, layer, whole);
      return madeBy(layer.name, made, [{ channels: made.shape[0] ?? 0 }]);
    },
  });
  return equalization.restore(graph, floatsOf(features), features.parts);
}
