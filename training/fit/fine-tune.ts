import type { Summary } from "../prepared.ts";
import { noDropout } from "./merge-model.ts";
import type { Recipe } from "./recipe.ts";

/** The fewest dev photos to choose an epoch by: with fewer the differences would be chance. */
const fewestToChooseBy = 100;

/** Number of training photos from which an epoch passes over all captions once, and captions are sampled and rewarded. */
const many = 1000;

/** What a recipe goes by. */
export type DataSize = Pick<Summary, "trainingPhotos" | "trainingCaptions" | "devPhotos">;

/**
 * Makes the recipe for training a good decoder further, with a rehearsal of what it knows beside every step. With few
 * photos an epoch is a fixed number of steps, and the averaged weights of the last epoch are kept: a handful of dev photos
 * cannot choose, and dev photos of other data would favour the epoch that learnt least.
 */
export function fineTuneRecipe({ trainingPhotos, devPhotos }: Omit<DataSize, "trainingCaptions">): Recipe {
  if (trainingPhotos < many) return fewPhotos(trainingPhotos);
  return { ...manyPhotos, keeps: devPhotos >= fewestToChooseBy ? "best epoch" : "last epoch" };
}

/** Makes the recipe for few photos, without dropout: with it, new words appear in more wrong captions. */
function fewPhotos(count: number): Recipe {
  const isHandful = count < 100;
  return {
    phases: [
      {
        epochs: 10,
        batch: { captions: isHandful ? 8 : 16, steps: 20 },
        rehearsal: { captions: 32, weight: 8 },
        learningRate: 1e-4,
        newWordRate: 1.5e-2,
        schedule: "cosine",
      },
    ],
    dropout: noDropout,
    labelSmoothing: 0,
    maxGradientNorm: 2,
    averageDecay: 0.98,
    keeps: "last epoch",
  };
}

const manyPhotos: Omit<Recipe, "keeps"> = {
  phases: [
    {
      epochs: 6,
      batch: { captions: 64 },
      rehearsal: { captions: 64, weight: 1 },
      learningRate: 2e-4,
      schedule: "cosine",
    },
    {
      epochs: 12,
      batch: { photos: 32, samples: 5, anchor: 0.3, pseudoAnchor: 0.3 },
      rehearsal: { captions: 64, weight: 0.3 },
      learningRate: 2e-4,
      schedule: "cosine",
    },
  ],
  dropout: { image: 0.5, words: 0.5, merge: 0.5 },
  labelSmoothing: 0.1,
  maxGradientNorm: 5,
  averageDecay: 0.99,
};
