import { dispose, softmax, type Tensor2D, tensor, tidy } from "@tensorflow/tfjs-core";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";
import { cosine, meanOf, rowsOf } from "../../captioner/vectors.ts";
import type { Vocabulary } from "../../shared/vocabulary.ts";
import { shuffled } from "../keyed-random.ts";
import type { Rehearsal } from "../rehearsal.ts";
import type { TrainingCaption } from "./batches.ts";
import { prepareBatch, type TrainingFeatures } from "./batches.ts";
import { type Dropout, type MergeSpec, type MergeValues, noDropout, weightNames, weightShapes } from "./merge-model.ts";
import { type Batch, type Masks, type MergeTensors, wordLogits } from "./teacher-forcing.ts";

/** Bias of new words in the teacher: e to the power of this is 0 beside any other word. */
const never = -1000;

/**
 * Share of the rehearsed photos that count as near: those most similar to the new ones, for which new words are most
 * easily said by mistake.
 */
const nearShare = 0.2;

/** Maximum number of new photos that similarity is measured to. */
const mostCompared = 300;

interface DistillationParts {
  /** The decoder's shape at the start, new words included. */
  spec: MergeSpec;
  start: MergeValues;
  vocabulary: Vocabulary;
  /** Number of words it knew, padding included: the first of the vocabulary. */
  known: number;
  /** Features of the training photos: float32 [photos, featureSize]. */
  learnt: Float32Array;
}

/**
 * The photos that a decoder captioned before training continues, and the decoder as it was then, the teacher. Learning
 * the teacher's probability of each word keeps what the decoder knows (distillation, Hinton et al. 2015; for this use
 * Li and Hoiem 2016, "Learning without Forgetting"). The caller disposes it.
 */
export class Distillation {
  readonly #photos: TrainingFeatures;
  readonly #captions: readonly TrainingCaption[];
  /** Captions of the photos that are most similar to the new ones. */
  readonly #near: readonly TrainingCaption[];
  readonly #teacher: MergeTensors;

  constructor({ features, captions }: Rehearsal, { spec, start, vocabulary, known, learnt }: DistillationParts) {
    this.#photos = { features };
    this.#captions = captions.flatMap((own, photo) => own.map((words) => ({ photo, ids: vocabulary.encode(words) })));
    const near = nearestTo(learnt, { features, featureSize: spec.featureSize });
    this.#near = this.#captions.filter(({ photo }) => near.has(photo));
    const bias = start["word_probabilities/bias"].map((value, id) => (id < known ? value : never));
    const values = { ...start, "word_probabilities/bias": bias };
    const shapes = weightShapes(spec);
    this.#teacher = Object.fromEntries(
      weightNames.map((name) => [name, tensor(values[name], [...shapes[name]])]),
    ) as MergeTensors; // one entry per name
  }

  /** Draws captions to rehearse, half of them of the photos most similar to the new ones, with dropout masks. */
  draw(
    count: number,
    { spec, dropout, random }: { spec: MergeSpec; dropout: Dropout; random: RandomGenerator },
  ): RehearsedBatch {
    const near = shuffled(this.#near, random).slice(0, Math.floor(count / 2));
    const drawn = [...near, ...shuffled(this.#captions, random).slice(0, count - near.length)];
    const whole = prepareBatch(this.#photos, drawn, { spec, dropout: noDropout, random }).batch;
    const { batch, masks } = prepareBatch(this.#photos, drawn, { spec, dropout, random });
    return { batch, masks, targetsOf: () => tidy(() => softmax(wordLogits(this.#teacher, whole))) };
  }

  dispose(): void {
    dispose(this.#teacher);
  }
}

/**
 * Finds the photos with the highest similarity to any photo of `learnt`: the cosine about their mean. Returns their
 * indices.
 */
function nearestTo(
  learnt: Float32Array,
  { features, featureSize }: { features: Float32Array; featureSize: number },
): Set<number> {
  const photos = rowsOf(features, features.length / featureSize);
  const some = rowsOf(learnt, learnt.length / featureSize).slice(0, mostCompared);
  const origin = meanOf(photos);
  const likeness = photos.map((photo) => Math.max(...some.map((other) => cosine(photo, other, origin))));
  const order = [...likeness.keys()].toSorted((one, other) => (likeness[other] ?? 0) - (likeness[one] ?? 0));
  return new Set(order.slice(0, Math.ceil(nearShare * order.length)));
}

interface RehearsedBatch {
  batch: Batch;
  masks: Masks;
  /**
   * Computes the teacher's probabilities of each next word: float32 [steps · rows, vocabularySize]. The caller disposes
   * them.
   */
  targetsOf(): Tensor2D;
}
