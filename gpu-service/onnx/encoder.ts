import type { Preprocessing } from "../../shared/manifest.ts";
import type { Layer, LayerOf, LayersModel } from "../layers-model.ts";
import { batchNormalizationTerms, convolution, convolutionWeights, foldBatchNormalization } from "./convolution.ts";
import { OnnxGraph } from "./graph.ts";
import { type Compilation, compileLayer, onlyInput, type Value } from "./layers.ts";

interface EncoderSpec {
  preprocessing: Preprocessing;
  featureSize: number;
}

/**
 * Compiles an encoder, whatever its layers are, to an ONNX file: `pixels` uint8 [n, height, width, 3], RGB, →
 * `features` float32 [n, featureSize]. Scaling happens inside the graph, and batch normalisation inside the
 * convolutions where it follows one.
 */
export function compileEncoder(model: LayersModel, { preprocessing, featureSize }: EncoderSpec): Uint8Array {
  const graph = new OnnxGraph();
  const input = scalePixels(graph, preprocessing);
  const features = compileLayers({ graph, model }, input);
  if (features.shape.join() !== String(featureSize)) {
    throw new Error(`expected an encoder with features [n, ${featureSize}], found [n, ${features.shape.join(", ")}]`);
  }
  graph.output(features.name, { name: "features", type: "float32", shape: ["photos", featureSize] });
  return graph.toBytes();
}

function scalePixels(graph: OnnxGraph, { width, height, divisor, offset }: Preprocessing): Value {
  const pixels = graph.input("pixels", "uint8", ["photos", height, width, 3]);
  const planes = graph.node("Transpose", [pixels], { perm: [0, 3, 1, 2] });
  const values = graph.node("Cast", [planes], { to: 1 }); // 1: TensorProto.FLOAT
  const scaled = graph.node("Div", [values, graph.floats(Float32Array.of(divisor), [1])]);
  const shifted = graph.node("Add", [scaled, graph.floats(Float32Array.of(offset), [1])]);
  return { name: shifted, shape: [3, height, width] };
}

function compileLayers(compilation: Compilation, pixels: Value): Value {
  const { graph, model } = compilation;
  const values = new Map<string, Value>();
  const madeBy = (name: string): Value => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`layer ${name} is read before it is made`);
    return value;
  };
  const convolutionBefore = foldableConvolutions(model);
  const folded = new Set(convolutionBefore.values());
  for (const layer of model.layers) {
    if (layer.class === "Conv2D" && folded.has(layer)) continue; // made with the batch normalisation behind it
    const before = convolutionBefore.get(layer);
    if (layer.class === "InputLayer") values.set(layer.name, pixels);
    else if (layer.class === "BatchNormalization" && before !== undefined) {
      const input = onlyInput(before, before.inputs.map(madeBy));
      const terms = batchNormalizationTerms(model, layer, { channels: before.config.filters, rank: 3 });
      const weights = foldBatchNormalization(convolutionWeights(model, before, input), terms);
      values.set(layer.name, convolution(graph, { layer: before, input, weights }));
    } else values.set(layer.name, compileLayer(compilation, layer, layer.inputs.map(madeBy)));
  }
  return madeBy(model.output);
}

/** Batch normalisations and the linear convolution before them, where nothing else reads that convolution. */
function foldableConvolutions(model: LayersModel): Map<Layer, LayerOf<"Conv2D">> {
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
