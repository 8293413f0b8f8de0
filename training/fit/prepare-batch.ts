import type { RandomGenerator } from "pure-rand/types/RandomGenerator";
import { dropoutMask } from "../keyed-random.ts";
import { layOut, type TrainingCaption } from "./batches.ts";
import type { Dropout, MergeSpec } from "./merge-model.ts";
import type { Batch, Masks } from "./teacher-forcing.ts";

/** The photos to learn from, as the encoder sees them. */
export interface TrainingFeatures {
  /** float32 [photos, featureSize]. */
  features: Float32Array;
  /** Of the photos' mirror images, of the same shape: each time the one or the other is shown. */
  mirrored?: Float32Array;
}

interface BatchSettings {
  spec: MergeSpec;
  dropout: Dropout;
  random: RandomGenerator;
}

/** Captions laid out beside each other, with their photos' features and what dropout takes off, drawn in this order. */
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

/** Features of photos, or of their mirror images where chance has it so: float32 [photos, featureSize]. */
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
