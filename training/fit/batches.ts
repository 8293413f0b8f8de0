import type { RandomGenerator } from "pure-rand/types/RandomGenerator";
import { dropoutMask, shuffled } from "../keyed-random.ts";
import type { Dropout, MergeSpec } from "./merge-model.ts";
import type { Batch, Masks } from "./teacher-forcing.ts";

/** A caption to learn from. */
export interface TrainingCaption {
  /** Index of its photo among the training photos. */
  photo: number;
  /** Word ids, start and end included. */
  ids: readonly number[];
  /** Weight of its words in the loss; 1 by default. */
  weight?: number;
  /** Set for a pseudo-caption: a sentence that was chosen for its photo, not written for it. */
  isPseudo?: true;
}

/** Selects the captions that people wrote for their photos. */
export function writtenOf(captions: readonly TrainingCaption[]): TrainingCaption[] {
  return captions.filter(({ isPseudo }) => isPseudo === undefined);
}

/** Number of batches whose captions are sorted by length together, so that batches hold little padding. */
const bucketBatches = 20;

/**
 * Makes an epoch's batches of `size` captions: shuffled, then sorted by length within every 20 batches, then the
 * batches shuffled.
 */
export function bucketedBatches(
  captions: readonly TrainingCaption[],
  { size, random }: { size: number; random: RandomGenerator },
): TrainingCaption[][] {
  const order = shuffled(captions, random);
  const batches: TrainingCaption[][] = [];
  for (const some of inChunks(order, size * bucketBatches)) {
    batches.push(
      ...inChunks(
        some.toSorted((one, other) => one.ids.length - other.ids.length),
        size,
      ),
    );
  }
  return shuffled(batches, random);
}

/** Makes `steps` batches of `size` captions of similar length, using each caption equally often, give or take one. */
export function repeatedBatches(
  captions: readonly TrainingCaption[],
  { size, steps, random }: { size: number; steps: number; random: RandomGenerator },
): TrainingCaption[][] {
  const drawn: TrainingCaption[] = [];
  while (captions.length > 0 && drawn.length < size * steps) drawn.push(...shuffled(captions, random));
  return bucketedBatches(drawn.slice(0, size * steps), { size, random });
}

/** Makes the tutorial's batches: all captions of `photos` photos, in the order of the data. */
export function photoBatches(captions: readonly TrainingCaption[], photos: number): TrainingCaption[][] {
  return inChunks([...groupByPhoto(captions).values()], photos).map((some) => some.flat());
}

/** Groups captions by photo, in the order of the data. */
export function groupByPhoto(captions: readonly TrainingCaption[]): Map<number, TrainingCaption[]> {
  const byPhoto = new Map<number, TrainingCaption[]>();
  for (const caption of captions) {
    const own = byPhoto.get(caption.photo);
    if (own === undefined) byPhoto.set(caption.photo, [caption]);
    else own.push(caption);
  }
  return byPhoto;
}

/**
 * Lays captions out side by side, [steps, rows]. The weights of all words add up to 1, or less if captions weigh
 * less.
 */
export function layOut(captions: readonly TrainingCaption[]): Omit<Batch, "features"> {
  const rows = captions.length;
  const steps = Math.max(...captions.map(({ ids }) => ids.length)) - 1;
  const total = captions.reduce((sum, { ids }) => sum + ids.length - 1, 0);
  const words = new Int32Array(steps * rows);
  const next = new Int32Array(steps * rows);
  const weights = new Float32Array(steps * rows);
  for (const [row, { ids, weight = 1 }] of captions.entries()) {
    for (let step = 0; step < ids.length - 1; step++) {
      const place = step * rows + row;
      words[place] = ids[step] ?? 0;
      next[place] = ids[step + 1] ?? 0;
      weights[place] = weight / total;
    }
  }
  return { rows, steps, words, next, weights };
}

/** Splits items into chunks of `size`, in order; the last one takes the rest. */
export function inChunks<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, chunk) =>
    items.slice(chunk * size, (chunk + 1) * size),
  );
}

/** Features of the training photos. */
export interface TrainingFeatures {
  /** float32 [photos, featureSize]. */
  features: Float32Array;
  /** Features of their mirror images, of the same shape; each time a photo is shown, one of the two is drawn. */
  mirrored?: Float32Array;
}

interface BatchSettings {
  spec: MergeSpec;
  dropout: Dropout;
  random: RandomGenerator;
}

/** Prepares a batch: captions laid out side by side, their photos' features, and dropout masks, drawn in this order. */
export function prepareBatch(
  data: TrainingFeatures,
  captions: readonly TrainingCaption[],
  { spec, dropout, random }: BatchSettings,
): { batch: Batch; masks: Masks } {
  const laidOut = layOut(captions);
  const features = showPhotos(data, {
    photos: captions.map(({ photo }) => photo),
    featureSize: spec.featureSize,
    random,
  });
  if (dropout.image > 0) multiply(features, dropoutMask(random, { size: features.length, rate: dropout.image }));
  const words = laidOut.steps * laidOut.rows;
  const masks: Masks = {};
  if (dropout.words > 0) masks.words = dropoutMask(random, { size: words * spec.embeddingSize, rate: dropout.words });
  if (dropout.merge > 0) masks.merge = dropoutMask(random, { size: words * spec.units, rate: dropout.merge });
  return { batch: { ...laidOut, features }, masks };
}

/** Gathers features of photos, or at random of their mirror images: float32 [photos, featureSize]. */
export function showPhotos(
  { features, mirrored }: TrainingFeatures,
  { photos, featureSize, random }: { photos: readonly number[]; featureSize: number; random: RandomGenerator },
): Float32Array {
  const shown = new Float32Array(photos.length * featureSize);
  for (const [row, photo] of photos.entries()) {
    const source = mirrored !== undefined && random.next() < 0 ? mirrored : features;
    shown.set(source.subarray(photo * featureSize, (photo + 1) * featureSize), row * featureSize);
  }
  return shown;
}

function multiply(values: Float32Array, by: Float32Array): void {
  for (let index = 0; index < values.length; index++) values[index] = (values[index] ?? 0) * (by[index] ?? 0);
}
