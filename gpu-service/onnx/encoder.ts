import type { Preprocessing } from "../../shared/manifest.ts";
import { foldedWeights } from "../convolution-weights.ts";
import type { LayersModel } from "../layers-model.ts";
import { walkEncoder } from "../walk-encoder.ts";
import { convolution, imageShape } from "./convolution.ts";
import { OnnxGraph } from "./graph.ts";
import { type Compilation, compileLayer, type Value } from "./layers.ts";

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
  return walkEncoder(model, pixels, {
    convolve(input, layers) {
      const { channels } = imageShape(layers.convolution, input);
      return convolution(graph, {
        layer: layers.convolution,
        input,
        weights: foldedWeights(model, { ...layers, channels }),
      });
    },
    apply: (layer, inputs) => compileLayer(compilation, layer, inputs),
  });
}
