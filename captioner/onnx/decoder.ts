import type { Layer, LayersModel } from "../networks/layers-model.ts";
import { splitDecoder } from "../networks/split-decoder.ts";
import type { Compilation, Value } from "./graph.ts";
import { OnnxGraph } from "./graph.ts";
import { compileLayer, onlyInput, vectorSize } from "./layers.ts";
import { compileEmbedding, compileLstmStep, type StateTensor, StepState } from "./recurrence.ts";

export interface CompiledDecoder {
  /** `features` float32 [photos, featureSize] → the state's context tensors. */
  context: Uint8Array;
  /**
   * `parents` int32 [rows] (the row of the previous state that each row continues), `words` int32 [rows], `count`
   * int64 [1] and the state's tensors → `next_words` int32 and `log_probabilities` float32 [rows, count], the best next
   * words, with `scores` of the same shape where there is evidence, and the tensors' next values.
   */
  step: Uint8Array;
  state: readonly StateTensor[];
}

export interface DecoderSpec {
  featureSize: number;
  vocabularySize: number;
  /** Ids that are never predicted: padding and start. */
  suppressedIds: readonly number[];
  /** Word detectors: features → a score for each word, by which, added to its log-probability, the next words are chosen. */
  evidence?: LayersModel | undefined;
}

/** The name of the evidence among the state's tensors, where it is float32 [rows, vocabularySize]. */
const evidenceName = "word evidence";

/**
 * Compiles a merge decoder to two graphs: one runs once per photo, the other once per word, with the LSTM's state between
 * words as its inputs and outputs.
 */
export function compileDecoder(model: LayersModel, spec: DecoderSpec): CompiledDecoder {
  const { contextLayers, stepLayers, contextOutputs } = splitDecoder(model);
  const context = compileContext(model, { ...spec, layers: contextLayers, contextOutputs });
  const step = compileStep(model, { ...spec, layers: stepLayers, context: context.state });
  return { context: context.bytes, step: step.bytes, state: [...context.state, ...step.memory] };
}

function compileContext(
  model: LayersModel,
  {
    layers,
    contextOutputs,
    featureSize,
    vocabularySize,
    evidence,
  }: DecoderSpec & { layers: readonly Layer[]; contextOutputs: ReadonlySet<string> },
): { bytes: Uint8Array; state: StateTensor[] } {
  const graph = new OnnxGraph();
  const features = { name: graph.input("features", "float32", ["photos", featureSize]), shape: [featureSize] };
  const values = compileLayers({ graph, model }, layers, features);
  const write = (tensor: StateTensor, value: Value): StateTensor => {
    graph.output(value.name, { name: tensor.name, type: "float32", shape: ["photos", tensor.size] });
    return tensor;
  };
  const state = layers.flatMap((layer): StateTensor[] => {
    const value = values.get(layer.name);
    if (value === undefined || !contextOutputs.has(layer.name)) return [];
    return [write({ name: layer.name, size: vectorSize(layer, value), kind: "context" }, value)];
  });
  if (evidence !== undefined) {
    const scores = compileLayers({ graph, model: evidence }, evidence.layers, features).get(evidence.output);
    if (scores?.shape.join() !== String(vocabularySize)) {
      throw new Error(`expected evidence of ${vocabularySize} words, found [n, ${scores?.shape.join(", ")}]`);
    }
    state.push(write({ name: evidenceName, size: vocabularySize, kind: "context" }, scores));
  }
  return { bytes: graph.toBytes(), state };
}

/** Compiles feed-forward layers whose input is the photo's features. Returns their values by name. */
function compileLayers(compilation: Compilation, layers: readonly Layer[], features: Value): Map<string, Value> {
  const values = new Map<string, Value>();
  for (const layer of layers) {
    const inputs = layer.inputs.flatMap((name) => values.get(name) ?? []);
    values.set(layer.name, layer.class === "InputLayer" ? features : compileLayer(compilation, layer, inputs));
  }
  return values;
}

function compileStep(
  model: LayersModel,
  {
    layers,
    context,
    vocabularySize,
    suppressedIds,
  }: DecoderSpec & { layers: readonly Layer[]; context: readonly StateTensor[] },
): { bytes: Uint8Array; memory: StateTensor[] } {
  const graph = new OnnxGraph();
  const state = new StepState(graph);
  const words = graph.input("words", "int32", ["rows"]);
  const values = new Map<string, Value>();
  for (const tensor of context) {
    const value = state.read(tensor);
    state.write(tensor, value);
    values.set(tensor.name, value);
  }
  const compile = (layer: Layer): Value => {
    const inputs = layer.inputs.flatMap((name) => values.get(name) ?? []);
    if (layer.class === "InputLayer") return { name: words, shape: [] };
    if (layer.class === "Embedding") return compileEmbedding({ graph, model }, layer, { words, vocabularySize });
    if (layer.class === "LSTM")
      return compileLstmStep({ graph, model }, layer, { input: onlyInput(layer, inputs), state });
    return compileLayer({ graph, model }, layer, inputs);
  };
  for (const layer of layers) values.set(layer.name, compile(layer));
  const logits = values.get(model.output);
  if (logits?.shape.join() !== String(vocabularySize)) {
    throw new Error(
      `expected a decoder with an output of ${vocabularySize} words, found [n, ${logits?.shape.join(", ")}]`,
    );
  }
  writeBestWords(graph, {
    ...{ logits: logits.name, vocabularySize, suppressedIds },
    evidence: values.get(evidenceName)?.name,
  });
  return { bytes: graph.toBytes(), memory: state.memory };
}

function writeBestWords(
  graph: OnnxGraph,
  {
    logits,
    vocabularySize,
    suppressedIds,
    evidence,
  }: { logits: string; vocabularySize: number; suppressedIds: readonly number[]; evidence: string | undefined },
): void {
  const logProbabilities = graph.node("LogSoftmax", [logits], { axis: -1 });
  const mask = new Float32Array(vocabularySize);
  for (const id of suppressedIds) mask[id] = Number.NEGATIVE_INFINITY;
  const allowed = graph.node("Add", [logProbabilities, graph.float32Constant(mask, [vocabularySize])]);
  const count = graph.input("count", "int64", [1]);
  const ranked = evidence === undefined ? allowed : graph.node("Add", [allowed, evidence]);
  const [best = "", words = ""] = graph.nodes("TopK", [ranked, count], { attributes: {}, outputs: 2 });
  const wordIds = graph.node("Cast", [words], { to: 6 }); // 6: TensorProto.INT32
  graph.output(wordIds, { name: "next_words", type: "int32", shape: ["rows", "count"] });
  const ofWords = evidence === undefined ? best : graph.node("GatherElements", [allowed, words], { axis: 1 });
  graph.output(ofWords, { name: "log_probabilities", type: "float32", shape: ["rows", "count"] });
  if (evidence !== undefined) graph.output(best, { name: "scores", type: "float32", shape: ["rows", "count"] });
}
