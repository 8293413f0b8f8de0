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

/** No new word has a chance with the teacher: e to the power of this is 0 beside any other. */
const never = -1000;

/** A share of the photos rehearsed: those most like the new ones, of which new words would be said by mistake. */
const nearShare = 0.2;

/** Of new photos, which likeness is measured to. */
const mostCompared = 300;

interface DistillationParts {
  /** The decoder at the start, its new words included. */
  spec: MergeSpec;
  start: MergeValues;
  vocabulary: Vocabulary;
  /** How many words it knew, padding included: the first of the vocabulary. */
  known: number;
  /** Of the photos that are learnt: float32 [photos, featureSize]. */
  learnt: Float32Array;
}

/**
 * Photos that a decoder has captioned before it goes on learning, and the decoder as it was then, the teacher. Learning to
 * give each of the captions' words the teacher's probabilities keeps what it knows (distillation, Hinton et al. 2015; for
 * this use Li and Hoiem 2016, "Learning without Forgetting"). Whoever makes one disposes it.
 */
export class Distillation {
  readonly #photos: TrainingFeatures;
  readonly #captions: readonly TrainingCaption[];
  /** Those of the photos that are most like the new ones. */
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
    ) as MergeTensors; // an entry a name
  }

  /** Some captions to rehearse, half of them of the photos most like the new ones, with what dropout takes off. */
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

/** Places of the photos whose likeness to some photo of `learnt`, the cosine about their mean, is highest. */
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
  /** The teacher's probabilities of each next word: float32 [steps · rows, vocabularySize]. Caller disposes it. */
  targetsOf(): Tensor2D;
}
