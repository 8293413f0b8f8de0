import type { Tensor, Tensor1D } from "@tensorflow/tfjs-node-gpu";
import type { DecoderRows, DecoderState } from "../engine.ts";
import type { Layer } from "../networks/layers-model.ts";
import { type SplitDecoder, splitDecoder } from "../networks/split-decoder.ts";
import { type Network, runLayer } from "./layers.ts";
import { cellOf, hiddenOf, runEmbedding, runLstmStep, type StepValue, vectorsOf } from "./recurrence.ts";

/** A decoder's state, float32 [rows, size] each: the context layers' outputs, by layer name, and the LSTMs' memory. */
export class TensorFlowState implements DecoderState {
  readonly tensors: Readonly<Record<string, Tensor>>;

  constructor(tensors: Record<string, Tensor>) {
    this.tensors = tensors;
  }

  release(): void {
    for (const tensor of Object.values(this.tensors)) tensor.dispose();
  }
}

interface DecoderSpec {
  vocabularySize: number;
  /** Ids that are never predicted. */
  suppressedIds: readonly number[];
  /** Word detectors: features → a score for each word, by which, added to its log-probability, the next words are chosen. */
  evidence?: Network | undefined;
}

/** The name of the evidence among the state's tensors. */
const evidenceName = "word evidence";

interface StepTensors {
  /** int32 [rows, count]. */
  words: Tensor;
  /** float32 [rows, count]. */
  logProbabilities: Tensor;
  /** float32 [rows, count]. */
  scores: Tensor;
  state: Record<string, Tensor>;
}

/** Runs a merge decoder on TensorFlow: context layers once per photo, step layers once per word, with the memory kept between. */
export class TensorFlowDecoder {
  readonly #network: Network;
  readonly #spec: DecoderSpec;
  readonly #layers: SplitDecoder;

  constructor(network: Network, spec: DecoderSpec) {
    this.#network = network;
    this.#spec = spec;
    this.#layers = splitDecoder(network.model);
  }

  /** float32 [photos, featureSize] → the state before the first word. */
  begin(features: Float32Array, photos: number): TensorFlowState {
    const { tf } = this.#network.weights;
    const { contextLayers, stepLayers, contextOutputs } = this.#layers;
    return new TensorFlowState(
      tf.tidy(() => {
        const input = tf.tensor2d(features, [photos, features.length / photos]);
        const values = runLayers(this.#network, contextLayers, input);
        const context = [...values].filter(([name]) => contextOutputs.has(name));
        const evidence = this.#evidenceOf(input);
        const memory = stepLayers.flatMap((layer): [string, Tensor][] => {
          if (layer.class !== "LSTM") return [];
          const shape: [number, number] = [photos, layer.config.units];
          return [hiddenOf(layer), cellOf(layer)].map((name) => [name, tf.zeros(shape)]);
        });
        return Object.fromEntries([...context, ...evidence, ...memory]);
      }),
    );
  }

  /** The evidence of photos as the state's tensor, float32 [photos, vocabularySize]; none without word detectors. */
  #evidenceOf(features: Tensor): [string, Tensor][] {
    const { evidence, vocabularySize } = this.#spec;
    if (evidence === undefined) return [];
    const scores = runLayers(evidence, evidence.model.layers, features).get(evidence.model.output);
    if (scores?.shape[1] !== vocabularySize) {
      throw new Error(`expected evidence of ${vocabularySize} words, found [${scores?.shape}]`);
    }
    return [[evidenceName, scores]];
  }

  /** Extends each row by one word. Caller disposes the result. */
  step({ tensors }: TensorFlowState, { parents, words, count }: DecoderRows): StepTensors {
    const { tf } = this.#network.weights;
    const { suppressedIds, vocabularySize } = this.#spec;
    const made = tf.tidy(() => {
      const rows = tf.tensor1d(parents, "int32");
      const state = Object.fromEntries(
        Object.entries(tensors).map(([name, tensor]) => [name, tf.gather(tensor, rows)]),
      );
      const logits = this.#logits(state, tf.tensor1d(words, "int32"));
      const allowed = tf.add(tf.logSoftmax(logits), this.#suppressionMask());
      const evidence = state[evidenceName];
      const ranked = evidence === undefined ? allowed : tf.add(allowed, evidence);
      const best = tf.topk(ranked, Math.min(count, vocabularySize - suppressedIds.length));
      const ofWords = evidence === undefined ? best.values.clone() : tf.gather(allowed, best.indices, 1, 1);
      return { state, step: { words: best.indices, logProbabilities: ofWords, scores: best.values } };
    });
    return { ...made.step, state: made.state };
  }

  /** Runs the step layers; the LSTMs among them write their next memory into `state`. */
  #logits(state: Record<string, Tensor>, words: Tensor1D): Tensor {
    const { tf } = this.#network.weights;
    const values = new Map<string, StepValue>(Object.entries(state));
    const run = (layer: Layer): StepValue => {
      const inputs = layer.inputs.flatMap((name) => values.get(name) ?? []);
      if (layer.class === "InputLayer") return words;
      if (layer.class === "Embedding") return runEmbedding(this.#network, layer, { words, ...this.#spec });
      const [first] = inputs;
      if (layer.class === "Dropout" && first !== undefined) return first; // only active in training
      if (layer.class === "LSTM" && first !== undefined)
        return runLstmStep(this.#network, layer, { input: first, state });
      return runLayer(
        this.#network,
        layer,
        inputs.map((input) => vectorsOf(tf, input)),
      );
    };
    for (const layer of this.#layers.stepLayers) values.set(layer.name, run(layer));
    const logits = values.get(this.#network.model.output);
    if (logits === undefined) throw new Error("the decoder has no output");
    return vectorsOf(tf, logits);
  }

  /** float32 [vocabularySize]: 0, and minus infinity for the suppressed ids. */
  #suppressionMask(): Tensor {
    const { suppressedIds, vocabularySize } = this.#spec;
    return this.#network.weights.get("suppression mask", [vocabularySize], () =>
      Float32Array.from({ length: vocabularySize }, (_, id) =>
        suppressedIds.includes(id) ? Number.NEGATIVE_INFINITY : 0,
      ),
    );
  }
}

/** Runs feed-forward layers whose input is the photos' features. Returns their values by name. */
function runLayers(network: Network, layers: readonly Layer[], features: Tensor): Map<string, Tensor> {
  const values = new Map<string, Tensor>();
  for (const layer of layers) {
    const inputs = layer.inputs.flatMap((name) => values.get(name) ?? []);
    values.set(layer.name, layer.class === "InputLayer" ? features : runLayer(network, layer, inputs));
  }
  return values;
}
