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
