import type { Summary } from "../prepared.ts";
import type { Phase, Recipe } from "./recipe.ts";

/** With fewer, differences between epochs would be chance. */
const fewestToChooseBy = 100;

/** From so many training photos on, an epoch is once through all captions, and captions are drawn and rewarded. */
const many = 1000;

/** What a recipe goes by. */
export type DataSize = Pick<Summary, "trainingPhotos" | "devPhotos">;

/**
 * How a decoder that is good already goes on: with a rehearsal of what it knows beside every step. With few photos an epoch
 * is a number of steps, whatever the data, and the last epoch's averaged weights are kept where dev is too small to choose.
 */
export function fineTuneRecipe({ trainingPhotos, devPhotos }: DataSize): Recipe {
  const isLarge = trainingPhotos >= many;
  return {
    phases: isLarge ? phasesOfMany : [phaseOfFew],
    dropout: isLarge ? { image: 0.5, words: 0.5, merge: 0.5 } : { image: 0.3, words: 0.3, merge: 0.25 },
    labelSmoothing: 0.1,
    maxGradientNorm: 5,
    averageDecay: isLarge ? 0.99 : 0.98,
    keeps: devPhotos >= fewestToChooseBy ? "best epoch" : "last epoch",
  };
}

const phaseOfFew: Phase = {
  epochs: 8,
  batch: { captions: 16, steps: 25 },
  rehearsal: { captions: 32, weight: 1 },
  learningRate: 5e-4,
  schedule: "cosine",
};

const phasesOfMany: readonly Phase[] = [
  {
    epochs: 6,
    batch: { captions: 64 },
    rehearsal: { captions: 64, weight: 1 },
    learningRate: 2e-4,
    schedule: "cosine",
  },
  {
    epochs: 12,
    batch: { photos: 32, samples: 5, anchor: 0.3 },
    rehearsal: { captions: 64, weight: 0.3 },
    learningRate: 2e-4,
    schedule: "cosine",
  },
];
