import type { Dropout } from "./merge-model.ts";

export const presets = ["default", "tutorial", "fine-tune"] as const;

export type Preset = (typeof presets)[number];

/** How a decoder is trained. */
export interface Recipe {
  /** Phases in order; Adam's moments carry over from one to the next. */
  phases: readonly TrainingPhase[];
  dropout: Dropout;
  /**
   * Set to standardize features: minus their mean over the training photos, divided by their deviation plus this floor.
   * Unset, features are used unscaled.
   */
  featureFloor?: number;
  /** Share of each word's target that is spread over all words. */
  labelSmoothing: number;
  /** Maximum joint norm of the gradients; larger ones are scaled down. */
  maxGradientNorm?: number;
  /** Decay of the weights' moving average, which is then what is scored and exported. */
  averageDecay?: number;
  /** Epochs without a better dev score after which a phase ends early. */
  patience?: number;
  /**
   * What is exported: the weights of an epoch, or the mean of those of each phase's best epoch. Phases that start from each
   * other's weights stay close enough for the mean to be better than each ("model soups", Wortsman et al. 2022).
   */
  keeps: "best epoch" | "last epoch" | "mean of phases";
}

export interface TrainingPhase {
  epochs: number;
  batch: PhaseBatch;
  learningRate: number;
  /**
   * Peak learning rate of the weights of words that are new to the decoder that training continues from, where it is
   * higher.
   */
  newWordRate?: number;
  /** Rehearsed captions per step, and their weight relative to the others. */
  rehearsal?: { captions: number; weight: number };
  /** `cosine`: rises over the first epoch, then falls to 0 along half a cosine (Loshchilov and Hutter 2017). */
  schedule: "constant" | "cosine";
}

/** What a step learns from. */
export type PhaseBatch =
  /** A number of captions of similar length, shuffled; all of them per epoch, or a number of steps. */
  | { captions: number; steps?: number }
  /** All captions of a number of photos, in the order of the data. */
  | { photos: number }
  /**
   * Captions that the decoder draws, `samples` for each of `photos`, shuffled; those of higher CIDEr are made likelier
   * (self-critical sequence training). Starts from the best weights so far. `anchor` is the weight of one written
   * caption per photo, learnt beside them, which keeps length and vocabulary like people's. None are drawn for photos
   * with pseudo-captions, which are no reference; instead each step learns as many pseudo-captions as it has photos, at
   * the weight `pseudoAnchor`.
   */
  | { photos: number; samples: number; anchor: number; pseudoAnchor: number };

/** A phase, and the position of an epoch in it. */
export interface PhaseEpoch {
  phase: TrainingPhase;
  /** Number of the epoch within the phase, from 0. */
  epoch: number;
}

/** Lists all epochs of a recipe, phase by phase, at their maximum number. */
export function epochsOf({ phases }: Recipe): PhaseEpoch[] {
  return phases.flatMap((phase) => Array.from({ length: phase.epochs }, (_, epoch) => ({ phase, epoch })));
}

/** Computes the learning rate of a step in an epoch of `steps`. */
export function learningRateAt({ phase, epoch }: PhaseEpoch, { step, steps }: { step: number; steps: number }): number {
  if (phase.schedule === "constant") return phase.learningRate;
  const done = epoch * steps + step;
  const rise = Math.min(1, (done + 1) / steps);
  return phase.learningRate * rise * 0.5 * (1 + Math.cos((Math.PI * done) / (phase.epochs * steps)));
}

/** Whether the best of these scores, one per epoch, is at least `patience` epochs old. The latest of equals counts. */
export function isPatienceOver(scores: readonly number[], patience = Number.POSITIVE_INFINITY): boolean {
  return scores.length - 1 - scores.lastIndexOf(Math.max(...scores)) >= patience;
}
