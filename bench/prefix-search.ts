import { Tensor } from "onnxruntime-node";
import { searchCaptions } from "../captioner/beam-search.ts";
import type { Bundle } from "../captioner/bundle.ts";
import type { LayerOf } from "../captioner/networks/layers-model.ts";
import { createOnnxEngine } from "../captioner/onnx/engine.ts";
import { OnnxGraph, type Value } from "../captioner/onnx/graph.ts";
import { compileLayer } from "../captioner/onnx/layers.ts";
import { createDecoderSession } from "../captioner/onnx/session.ts";
import { rowsOf } from "../captioner/vectors.ts";
import { type Bench, benchInputs, timeInTurns } from "./bench.ts";
import { tutorialSearch, tutorialSettings, withoutEvidence } from "./tutorial-search.ts";

export const prefixSearch: Bench = {
  name: "prefix-search",
  about: "the tutorial's greedy search ÷ ours over a batch of 64, time a photo, same engine and captions; at least 20",
  async run() {
    const { bundle, photos, ...shipped } = await benchInputs(64);
    await shipped.engine.close();
    const engine = await createOnnxEngine(withoutEvidence(bundle));
    const { manifest } = bundle;
    const prefixDecoder = await createPrefixDecoder(bundle);
    const features = await engine.encode(Buffer.concat(photos), photos.length);
    const rows = rowsOf(features, photos.length);
    const options = photos.map(() => ({ beam: 1, candidates: 1 }));
    const settings = tutorialSettings(manifest);
    let found: string[] = [];
    let expected: string[] = [];
    const { oursMs, peerMs } = await timeInTurns(9, {
      async ours() {
        const captions = await searchCaptions(engine, { features, options }, settings);
        found = captions.map(([caption]) => caption?.words.join(" ") ?? "");
      },
      async peer() {
        expected = [];
        for (const row of rows) expected.push((await tutorialSearch(prefixDecoder.nextWord, row, manifest)).join(" "));
      },
    });
    await engine.close();
    const differing = found.filter((caption, index) => caption !== expected[index]).length;
    if (differing > 0) throw new Error(`${differing} of ${found.length} captions differ between the two searches`);
    return {
      number: peerMs / oursMs,
      ours: `${(oursMs / photos.length).toFixed(3)} ms a photo`,
      peer: `${(peerMs / photos.length).toFixed(3)} ms a photo`,
    };
  },
};

/**
 * The decoder as the tutorial runs it, on ONNX Runtime: one photo and the padded beginning of its caption in, the
 * probabilities of the next word out, the LSTM over the whole padded length each time.
 */
async function createPrefixDecoder(bundle: Bundle): Promise<{
  /** `features` float32 [featureSize] and the words so far → float32 [vocabularySize]. */
  nextWord(features: Float32Array, prefix: readonly number[]): Promise<Float32Array>;
}> {
  const length = bundle.manifest.maxCaptionLength;
  const session = await createDecoderSession(compilePrefixDecoder(bundle));
  return {
    async nextWord(features, prefix) {
      const words = new Int32Array(length);
      words.set(prefix, length - prefix.length);
      const { probabilities } = await session.run({
        features: new Tensor("float32", features, [1, features.length]),
        words: new Tensor("int32", words, [length]),
      });
      if (!(probabilities?.data instanceof Float32Array)) throw new Error("expected probabilities");
      return probabilities.data;
    },
  };
}

function compilePrefixDecoder(bundle: Bundle): Uint8Array {
  const { featureSize } = bundle.manifest.encoder;
  const model = bundle.readDecoder();
  const graph = new OnnxGraph();
  const features: Value = { name: graph.input("features", "float32", [1, featureSize]), shape: [featureSize] };
  const words = graph.input("words", "int32", [bundle.manifest.maxCaptionLength]);
  const values = new Map<string, Value>();
  for (const layer of model.layers) {
    const inputs = layer.inputs.flatMap((name) => values.get(name) ?? []);
    if (layer.class === "InputLayer") {
      const isWords = model.layers.some((other) => other.class === "Embedding" && other.inputs.includes(layer.name));
      values.set(layer.name, isWords ? { name: words, shape: [] } : features);
    } else if (layer.class === "Embedding") {
      const { input_dim: rows, output_dim: size } = layer.config;
      const vectors = graph.float32Constant(model.weight(layer.name, "embeddings", [rows, size]).values, [rows, size]);
      values.set(layer.name, { name: graph.node("Gather", [vectors, words]), shape: [size] });
    } else if (layer.class === "LSTM") {
      const [input = features] = inputs;
      values.set(layer.name, maskedLstm(bundle, { graph, layer, input, words }));
    } else values.set(layer.name, compileLayer({ graph, model }, layer, inputs));
  }
  const probabilities = values.get(model.output)?.name ?? "";
  graph.output(probabilities, { name: "probabilities", type: "float32", shape: [1, bundle.vocabulary.size] });
  return graph.toBytes();
}

/**
 * ONNX' own LSTM over the padded sequence. Padding is on the left and is masked: there the input gate is pressed
 * shut, so that the state stays zero as if the step had not been.
 */
function maskedLstm(
  bundle: Bundle,
  { graph, layer, input, words }: { graph: OnnxGraph; layer: LayerOf<"LSTM">; input: Value; words: string },
): Value {
  const model = bundle.readDecoder();
  const { units } = layer.config;
  const [size = 0] = input.shape;
  const kernel = model.weight(layer.name, "kernel", [size, 4 * units]).values;
  const shut = new Float32Array(4 * units).fill(-1e9, 0, units);
  const withMask = new Float32Array([...kernel, ...shut]);
  const recurrent = model.weight(layer.name, "recurrent_kernel", [units, 4 * units]).values;
  const bias = model.weight(layer.name, "bias", [4 * units]).values;
  const isPadding = graph.node("Cast", [graph.node("Not", [graph.node("Cast", [words], { to: 9 })])], { to: 1 }); // 9 BOOL, 1 FLOAT
  const mask = graph.node("Unsqueeze", [isPadding, graph.int64Vector([1])]);
  const masked = graph.node("Concat", [input.name, mask], { axis: 1 });
  const sequence = graph.node("Unsqueeze", [masked, graph.int64Vector([1])]); // [length, 1, size + 1]
  const weights = [
    graph.float32Constant(gatesFirst(withMask, { rows: size + 1, units }), [1, 4 * units, size + 1]),
    graph.float32Constant(gatesFirst(recurrent, { rows: units, units }), [1, 4 * units, units]),
    graph.float32Constant(new Float32Array([...gatesFirst(bias, { rows: 1, units }), ...new Float32Array(4 * units)]), [
      1,
      8 * units,
    ]),
  ];
  const [, last = ""] = graph.nodes("LSTM", [sequence, ...weights], { attributes: { hidden_size: units }, outputs: 2 });
  return { name: graph.node("Squeeze", [last, graph.int64Vector([0])]), shape: [units] };
}

/** Keras' [rows, 4 · units] in the order input, forget, candidate, output → ONNX' [4 · units, rows] in the order input, output, forget, candidate. */
function gatesFirst(values: Float32Array, { rows, units }: { rows: number; units: number }): Float32Array {
  const gates = [0, 3, 1, 2];
  return Float32Array.from({ length: values.length }, (_, index) => {
    const [column, row] = [Math.floor(index / rows), index % rows];
    const gate = gates[Math.floor(column / units)] ?? 0;
    return values[row * 4 * units + gate * units + (column % units)] ?? 0;
  });
}
