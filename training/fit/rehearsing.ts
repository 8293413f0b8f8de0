import { dispose, softmax, type Tensor2D, tensor, tidy } from "@tensorflow/tfjs-core";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";
import type { Vocabulary } from "../../shared/vocabulary.ts";
import { shuffled } from "../keyed-random.ts";
import type { Rehearsal } from "../rehearsal.ts";
import type { TrainingCaption } from "./batches.ts";
import { type Dropout, type MergeSpec, type MergeValues, weightNames, weightShapes } from "./merge-model.ts";
import { prepareBatch, type TrainingFeatures } from "./prepare-batch.ts";
import { type Batch, type Masks, type MergeTensors, wordLogits } from "./teacher-forcing.ts";

/** No new word has a chance with the teacher: e to the power of this is 0 beside any other. */
const never = -1000;

interface RehearsingParts {
  /** The decoder at the start, its new words included. */
  spec: MergeSpec;
  start: MergeValues;
  vocabulary: Vocabulary;
  /** How many words it knew, padding included: the first of the vocabulary. */
  known: number;
}

/**
 * Photos that a decoder has captioned before it goes on learning, and the decoder as it was then, the teacher. Learning to
 * give each of the captions' words the teacher's probabilities keeps what it knows (distillation, Hinton et al. 2015; for
 * this use Li and Hoiem 2016, "Learning without Forgetting"). Whoever makes one disposes it.
 */
export class Rehearsing {
  readonly #photos: TrainingFeatures;
  readonly #captions: readonly TrainingCaption[];
  readonly #teacher: MergeTensors;

  constructor({ features, captions }: Rehearsal, { spec, start, vocabulary, known }: RehearsingParts) {
    this.#photos = { features };
    this.#captions = captions.flatMap((own, photo) => own.map((words) => ({ photo, ids: vocabulary.encode(words) })));
    const bias = start["word_probabilities/bias"].map((value, id) => (id < known ? value : never));
    const values = { ...start, "word_probabilities/bias": bias };
    const shapes = weightShapes(spec);
    this.#teacher = Object.fromEntries(
      weightNames.map((name) => [name, tensor(values[name], [...shapes[name]])]),
    ) as MergeTensors; // an entry a name
  }

  /** Some captions to rehearse, drawn, with what dropout takes off. */
  draw(
    count: number,
    { spec, dropout, random }: { spec: MergeSpec; dropout: Dropout; random: RandomGenerator },
  ): RehearsedBatch {
    const drawn = shuffled(this.#captions, random).slice(0, count);
    const whole = prepareBatch(this.#photos, drawn, { spec, dropout: noDropout, random }).batch;
    const { batch, masks } = prepareBatch(this.#photos, drawn, { spec, dropout, random });
    return { batch, masks, targetsOf: () => tidy(() => softmax(wordLogits(this.#teacher, whole))) };
  }

  dispose(): void {
    dispose(this.#teacher);
  }
}

interface RehearsedBatch {
  batch: Batch;
  masks: Masks;
  /** The teacher's probabilities of each next word: float32 [steps · rows, vocabularySize]. Caller disposes it. */
  targetsOf(): Tensor2D;
}

const noDropout: Dropout = { image: 0, words: 0, merge: 0 };
