import type { Tensor2D } from "@tensorflow/tfjs-core";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";
import { chooseOne, randomFor, shuffled } from "../keyed-random.ts";
import {
  bucketedBatches,
  groupByPhoto,
  inChunks,
  photoBatches,
  prepareBatch,
  repeatedBatches,
  type TrainingCaption,
  type TrainingFeatures,
  writtenOf,
} from "./batches.ts";
import type { Distillation } from "./distillation.ts";
import { type MergeSpec, noDropout } from "./merge-model.ts";
import type { PhaseBatch, Recipe, TrainingPhase } from "./recipe.ts";
import { drawCaptions, type RewardInputs } from "./self-critical.ts";
import type { Batch, Masks, MergeVariables } from "./teacher-forcing.ts";

/** The data to learn from. */
export interface TrainingData extends TrainingFeatures {
  captions: readonly TrainingCaption[];
  /** References that a self-critical phase scores its captions against; called only when there is such a phase. */
  rewardInputs?: () => RewardInputs;
  /** The rehearsal, learnt beside the captions in phases that ask for it. */
  distillation?: Distillation | undefined;
}

/** A prepared step: its loss is the sum of its parts' losses. */
export interface PreparedStep {
  parts: readonly StepPart[];
  /** Number of captions it learns from. */
  captions: number;
  /** Mean reward of drawn captions. */
  reward?: number;
}

interface StepPart {
  batch: Batch;
  masks?: Masks;
  labelSmoothing?: number;
  targetsOf?: () => Tensor2D;
}

interface EpochPlan {
  /** The weights that captions are drawn with, as they are when a step is prepared. */
  variables: MergeVariables;
  spec: MergeSpec;
  recipe: Recipe;
  seed: number;
  /** Number of the epoch, from 1, over all phases. */
  number: number;
  phase: TrainingPhase;
}

/**
 * Plans an epoch's steps, in order. Each is prepared when its turn comes, since drawn captions depend on the weights.
 */
export function planSteps(data: TrainingData, plan: EpochPlan): (() => PreparedStep)[] {
  const { phase } = plan;
  const steps = "samples" in phase.batch ? planDrawing(data, plan, phase.batch) : planCaptions(data, plan, phase.batch);
  return steps.map((prepare, step) => () => addRehearsal(prepare(), { data, plan, step }));
}

function planCaptions(
  data: TrainingData,
  plan: EpochPlan,
  batch: Exclude<PhaseBatch, { samples: number }>,
): (() => PreparedStep)[] {
  const { spec, recipe } = plan;
  const { dropout, labelSmoothing } = recipe;
  return batchesOf(data.captions, { batch, random: randomOf(plan, "order") }).map((captions, step) => () => {
    const prepared = prepareBatch(data, captions, { spec, dropout, random: randomOf(plan, step) });
    return { parts: [{ ...prepared, labelSmoothing }], captions: captions.length };
  });
}

function batchesOf(
  captions: readonly TrainingCaption[],
  { batch, random }: { batch: Exclude<PhaseBatch, { samples: number }>; random: RandomGenerator },
): TrainingCaption[][] {
  if ("photos" in batch) return photoBatches(captions, batch.photos);
  const { captions: size, steps } = batch;
  return steps === undefined
    ? bucketedBatches(captions, { size, random })
    : repeatedBatches(captions, { size, steps, random });
}

function planDrawing(
  data: TrainingData,
  plan: EpochPlan,
  batch: Extract<PhaseBatch, { samples: number }>,
): (() => PreparedStep)[] {
  const { variables, spec, recipe } = plan;
  const { dropout, labelSmoothing } = recipe;
  const rewardInputs = data.rewardInputs?.();
  if (rewardInputs === undefined) throw new Error("expected references to reward drawn captions by, found none");
  const ofPhoto = groupByPhoto(writtenOf(data.captions));
  const photos = shuffled([...ofPhoto.keys()], randomOf(plan, "order"));
  const pseudo = inChunks(
    shuffled(
      data.captions.filter(({ isPseudo }) => isPseudo),
      randomOf(plan, "pseudo"),
    ),
    batch.photos,
  );
  return inChunks(photos, batch.photos).map((some, step) => () => {
    const random = randomOf(plan, step);
    const settings = { ...rewardInputs, samples: batch.samples, random };
    const drawn = drawCaptions(variables, data, { photos: some, settings });
    const written = some.map((photo) => chooseOne(ofPhoto.get(photo) ?? [], random));
    const anchor = prepareBatch(data, written, { spec, dropout: noDropout, random }).batch;
    const parts: StepPart[] = [{ batch: drawn.batch }, weighed({ batch: anchor, labelSmoothing }, batch.anchor)];
    const held = pseudo[step % pseudo.length]?.map((caption) => ({ ...caption, weight: 1 }));
    if (held !== undefined) {
      const prepared = prepareBatch(data, held, { spec, dropout, random });
      parts.push(weighed({ ...prepared, labelSmoothing }, batch.pseudoAnchor));
    }
    return { parts, captions: drawn.batch.rows, reward: drawn.reward };
  });
}

/** Adds a rehearsal to a step if the phase asks for it. */
function addRehearsal(
  prepared: PreparedStep,
  { data, plan, step }: { data: TrainingData; plan: EpochPlan; step: number },
): PreparedStep {
  const { spec, recipe, phase } = plan;
  if (phase.rehearsal === undefined || data.distillation === undefined) return prepared;
  const { captions, weight } = phase.rehearsal;
  const random = randomOf(plan, `rehearsal ${step}`);
  const drawn = data.distillation.draw(captions, { spec, dropout: recipe.dropout, random });
  const share = weight / (1 + weight);
  return { ...prepared, parts: [...prepared.parts.map((part) => weighed(part, 1 - share)), weighed(drawn, share)] };
}

function weighed(part: StepPart, by: number): StepPart {
  return { ...part, batch: { ...part.batch, weights: part.batch.weights.map((weight) => by * weight) } };
}

function randomOf({ seed, number }: EpochPlan, of: number | string): RandomGenerator {
  return randomFor(seed, "epoch", number, of);
}
