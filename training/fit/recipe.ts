import { type DataSize, fineTuneRecipe } from "./fine-tune.ts";
import type { Dropout } from "./merge-model.ts";

export const presets = ["default", "tutorial", "fine-tune"] as const;

export type Preset = (typeof presets)[number];

/** How a decoder is learnt. */
export interface Recipe {
  /** One after the other; Adam's moments go on from one to the next. */
  phases: readonly Phase[];
  dropout: Dropout;
  /**
   * Features are standardized: less their mean over the training photos, by their deviation and this floor. Without it they
   * are learnt from as they come.
   */
  featureFloor?: number;
  /** That share of each word's target goes to all words alike. */
  labelSmoothing: number;
  /** Gradients are scaled down to this joint norm. */
  maxGradientNorm?: number;
  /** Of the average of the weights over the steps, which is then what is scored and exported. */
  averageDecay?: number;
  /** A phase ends early when its best dev score is this many epochs old. */
  patience?: number;
  /** Whose weights are exported. */
  keeps: "best epoch" | "last epoch";
}

export interface Phase {
  epochs: number;
  batch: PhaseBatch;
  learningRate: number;
  /** The highest of the weights of words that are new to the decoder that training goes on from, where it is higher. */
  newWordRate?: number;
  /** Captions a step of those that the bundle carries which training goes on from, and what they count beside the others. */
  rehearsal?: { captions: number; weight: number };
  /** `cosine`: rises over the first epoch, then falls to 0 along half a cosine (Loshchilov and Hutter 2017). */
  schedule: "constant" | "cosine";
}

/** What a step learns from. */
export type PhaseBatch =
  /** So many captions of like length, shuffled; all of them an epoch, or so many steps. */
  | { captions: number; steps?: number }
  /** All captions of so many photos, in the order of the data. */
  | { photos: number }
  /**
   * Captions that it draws, so many for each of so many photos, shuffled: those of higher CIDEr (self-critical sequence
   * training). Begins from the best weights so far. `anchor` is the weight of one written caption of each photo,
   * learnt beside them: it keeps captions as long and words as many as people's. For photos with pseudo-captions none are
   * drawn, since sentences that were chosen are no measure; as many of those as of the photos are learnt on at each step,
   * at the weight `pseudoAnchor`.
   */
  | { photos: number; samples: number; anchor: number; pseudoAnchor: number };

export const recipes: Record<Exclude<Preset, "fine-tune">, Recipe> = {
  default: {
    phases: [
      { epochs: 24, batch: { captions: 128 }, learningRate: 1.2e-3, schedule: "cosine" },
      {
        epochs: 10,
        batch: { photos: 64, samples: 5, anchor: 0.1, pseudoAnchor: 0.3 },
        learningRate: 5e-4,
        schedule: "cosine",
      },
    ],
    dropout: { image: 0.4, words: 0.3, merge: 0.3 },
    featureFloor: 0.06,
    labelSmoothing: 0.1,
    maxGradientNorm: 2,
    averageDecay: 0.999,
    patience: 5,
    keeps: "best epoch",
  },
  /** To the letter, but for dropout: a caption's prefixes share their masks. */
  tutorial: {
    phases: [
      { epochs: 20, batch: { photos: 3 }, learningRate: 1e-3, schedule: "constant" },
      { epochs: 10, batch: { photos: 6 }, learningRate: 1e-4, schedule: "constant" },
    ],
    dropout: { image: 0.5, words: 0.5, merge: 0 },
    labelSmoothing: 0,
    keeps: "last epoch",
  },
};

/** What is taken from a preset, and what stands in the place of its own. */
interface RecipeSettings {
  /** undefined: `default`, and `fine-tune` for training that goes on from a bundle. */
  preset?: Preset | undefined;
  from?: string | undefined;
  epochs?: number | undefined;
  /** Captions. */
  batch?: number | undefined;
  learningRate?: number | undefined;
}

/** Captions, each as often as there are epochs, that the default preset learns from first: fewer epochs of more data. */
const captionsLearnt = 720_000;
const fewestEpochs = 6;

/** Where epochs, batch or rate are given, the first phase has them in the place of its own, and is the only one. */
export function chooseRecipe({ preset, from, epochs, batch, learningRate }: RecipeSettings, size: DataSize): Recipe {
  const name = preset ?? (from === undefined ? "default" : "fine-tune");
  const recipe = presetRecipe(name, size);
  const [first] = recipe.phases;
  if (first === undefined || [epochs, batch, learningRate].every((given) => given === undefined)) return recipe;
  const changed: Phase = {
    ...first,
    epochs: epochs ?? first.epochs,
    batch: batch === undefined ? first.batch : { ...("captions" in first.batch ? first.batch : {}), captions: batch },
    learningRate: learningRate ?? first.learningRate,
  };
  return { ...recipe, phases: [changed] };
}

function presetRecipe(name: Preset, size: DataSize): Recipe {
  if (name === "fine-tune") return fineTuneRecipe(size);
  const recipe = recipes[name];
  const [first, ...others] = recipe.phases;
  if (name !== "default" || first === undefined) return recipe;
  const epochs = Math.max(fewestEpochs, Math.min(first.epochs, Math.round(captionsLearnt / size.trainingCaptions)));
  return { ...recipe, phases: [{ ...first, epochs }, ...others] };
}

/** A phase, and where an epoch lies in it. */
export interface PhaseEpoch {
  phase: Phase;
  /** Of the phase, from 0. */
  epoch: number;
}

/** All epochs of a recipe, phase by phase, as many as it has at most. */
export function epochsOf({ phases }: Recipe): PhaseEpoch[] {
  return phases.flatMap((phase) => Array.from({ length: phase.epochs }, (_, epoch) => ({ phase, epoch })));
}

/** The learning rate of a step of an epoch with so many. */
export function learningRateAt({ phase, epoch }: PhaseEpoch, { step, steps }: { step: number; steps: number }): number {
  if (phase.schedule === "constant") return phase.learningRate;
  const done = epoch * steps + step;
  const rise = Math.min(1, (done + 1) / steps);
  return phase.learningRate * rise * 0.5 * (1 + Math.cos((Math.PI * done) / (phase.epochs * steps)));
}

/** Whether the best of these scores, an epoch each, is `patience` epochs old or more. Of equals the latest counts. */
export function isPatienceOver(scores: readonly number[], patience = Number.POSITIVE_INFINITY): boolean {
  return scores.length - 1 - scores.lastIndexOf(Math.max(...scores)) >= patience;
}
