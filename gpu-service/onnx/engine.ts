import { availableParallelism } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { type Bundle, naming } from "../bundle.ts";
import type { DecoderState, DecoderStep, Engine } from "../engine.ts";
import { compileDecoder } from "./decoder.ts";
import { compileEncoder } from "./encoder.ts";
import { nextName, type StateTensor } from "./recurrence.ts";

type Tensors = Record<string, Tensor>;

/** Compiles a bundle's networks to ONNX and loads them into ONNX Runtime on the CPU. */
export async function createOnnxEngine(bundle: Bundle): Promise<Engine> {
  const { featureSize } = bundle.manifest.encoder;
  const { preprocessing } = bundle.manifest;
  const { padding, start } = bundle.manifest.specialIds;
  const { encoder: encoderFile, decoder: decoderFile } = bundle.manifest;
  const encoderGraph = naming(join(bundle.folder, encoderFile.topology), () =>
    compileEncoder(bundle.readEncoder(), { preprocessing, featureSize }),
  );
  const encoder = await createSession(encoderGraph, { threads: availableParallelism() });
  const neverNext = [padding, start];
  const vocabularySize = bundle.vocabulary.size;
  const compiled = naming(join(bundle.folder, decoderFile.topology), () =>
    compileDecoder(bundle.readDecoder(), { featureSize, vocabularySize, neverNext }),
  );
  const wordCount = vocabularySize - neverNext.length;
  const context = await createDecoderSession(compiled.context);
  const stepper = await createDecoderSession(compiled.step);
  const { width, height } = preprocessing;

  return {
    name: "onnx",
    device: "cpu",
    async encode(pixels, photos) {
      const { features } = await encoder.run({ pixels: new Tensor("uint8", pixels, [photos, height, width, 3]) });
      return floatsOf(features);
    },
    async begin(features, photos) {
      const made = await context.run({ features: new Tensor("float32", features, [photos, featureSize]) });
      return new OnnxState({ ...made, ...blankMemory(compiled.state, photos) });
    },
    async step(state, { parents, words, count }): Promise<DecoderStep> {
      if (!(state instanceof OnnxState)) throw new Error("the state is another engine's");
      const made = await stepper.run({
        ...state.tensors,
        parents: new Tensor("int32", parents, [parents.length]),
        words: new Tensor("int32", words, [words.length]),
        count: new Tensor("int64", BigInt64Array.of(BigInt(Math.min(count, wordCount))), [1]),
      });
      return {
        words: integersOf(made.next_words),
        logProbabilities: floatsOf(made.log_probabilities),
        state: new OnnxState(nextTensors(compiled.state, made)),
      };
    },
    async close() {
      await Promise.all([encoder.release(), context.release(), stepper.release()]);
    },
  };
}

class OnnxState implements DecoderState {
  readonly tensors: Tensors;

  constructor(tensors: Tensors) {
    this.tensors = tensors;
  }

  release(): void {
    for (const tensor of Object.values(this.tensors)) tensor.dispose();
  }
}

/**
 * A decoder runs on one thread: a step takes about a millisecond, and a second thread that the scheduler has taken away
 * holds it up for several.
 */
export function createDecoderSession(model: Uint8Array): Promise<InferenceSession> {
  return createSession(model, { threads: 1 });
}

function createSession(model: Uint8Array, { threads }: { threads: number }): Promise<InferenceSession> {
  return InferenceSession.create(model, {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "all",
    intraOpNumThreads: threads,
  });
}

function blankMemory(state: readonly StateTensor[], photos: number): Tensors {
  const memory = state.filter(({ kind }) => kind === "memory");
  return Object.fromEntries(
    memory.map(({ name, size }) => [name, new Tensor("float32", new Float32Array(photos * size), [photos, size])]),
  );
}

function nextTensors(state: readonly StateTensor[], outputs: Tensors): Tensors {
  return Object.fromEntries(
    state.map(({ name }) => {
      const tensor = outputs[nextName(name)];
      if (tensor === undefined) throw new Error(`the step graph gave no ${nextName(name)}`);
      return [name, tensor];
    }),
  );
}

function floatsOf(tensor: Tensor | undefined): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data;
  throw new Error(`expected a float32 tensor, received ${tensor?.type ?? "none"}`);
}

function integersOf(tensor: Tensor | undefined): Int32Array {
  if (tensor?.data instanceof Int32Array) return tensor.data;
  throw new Error(`expected an int32 tensor, received ${tensor?.type ?? "none"}`);
}
