import { Tensor } from "onnxruntime-node";
import type { DecoderState, DecoderStep, Engine } from "../engine.ts";
import type { CompiledDecoder, DecoderSpec } from "./decoder.ts";
import { nextName, type StateTensor } from "./recurrence.ts";
import { createDecoderSession, floatsOf } from "./session.ts";

type Tensors = Record<string, Tensor>;

/** Loads a compiled decoder into ONNX Runtime on the CPU. */
export async function createOnnxDecoder(
  compiled: CompiledDecoder,
  spec: DecoderSpec,
): Promise<Pick<Engine, "begin" | "step" | "close">> {
  const wordCount = spec.vocabularySize - spec.suppressedIds.length;
  const context = await createDecoderSession(compiled.context);
  const stepper = await createDecoderSession(compiled.step);

  return {
    async begin(features, photos) {
      const made = await context.run({ features: new Tensor("float32", features, [photos, spec.featureSize]) });
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
      const logProbabilities = floatsOf(made.log_probabilities);
      return {
        words: integersOf(made.next_words),
        logProbabilities,
        scores: made.scores === undefined ? logProbabilities : floatsOf(made.scores),
        state: new OnnxState(nextTensors(compiled.state, made)),
      };
    },
    async close() {
      await Promise.all([context.release(), stepper.release()]);
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
      if (tensor === undefined) throw new Error(`the step graph has no output ${nextName(name)}`);
      return [name, tensor];
    }),
  );
}

function integersOf(tensor: Tensor | undefined): Int32Array {
  if (tensor?.data instanceof Int32Array) return tensor.data;
  throw new Error(`expected an int32 tensor, received ${tensor?.type ?? "none"}`);
}
