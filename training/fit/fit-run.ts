import type { LayersModel } from "@tensorflow/tfjs-layers";
import { meanOf } from "../../captioner/vectors.ts";
import { showProgress } from "../../terminal/progress.ts";
import { type ModelFiles, toLayersFormat } from "../layers-format.ts";
import { searches } from "../score/score-captions.ts";
import type { Dependencies } from "../stage-record.ts";
import { writtenOf } from "./batches.ts";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import type { FeatureScaling } from "./feature-scaling.ts";
import { type MergeSpec, type MergeValues, mergeModel, weightNames } from "./merge-model.ts";
import { choosingScore, type EpochDone, type EpochMetrics, epochSearches } from "./metrics.ts";
import type { TrainingData } from "./plan-steps.ts";
import { epochsOf, isPatienceOver, type PhaseEpoch, type Recipe, type TrainingPhase } from "./recipe.ts";
import type { Scorer } from "./scorer.ts";
import { Trainer } from "./trainer.ts";

/** Number of dev photos whose captions are kept from each epoch. */
const samplesKept = 3;

interface FitSettings {
  /** Folder of the checkpoint. */
  folder: string;
  dependencies: Dependencies;
  data: TrainingData;
  spec: MergeSpec;
  /** Weights before the first step. */
  start: MergeValues;
  recipe: Recipe;
  seed: number;
  isEmbeddingTuned: boolean;
  /** Scaling of the features of `data`, if they are standardized. */
  scaling?: FeatureScaling | undefined;
  /** Number of words that the start weights know; set if others are new. */
  known?: number | undefined;
  /** Undefined if there are no dev photos: the last epoch then counts as the best. */
  scorer: Scorer | undefined;
}

/** A run through all epochs of a recipe, from the start weights or from a checkpoint. The caller disposes it. */
export class FitRun {
  readonly metrics: EpochMetrics[];
  readonly #settings: FitSettings;
  #trainer: Trainer;
  /** For each phase that has begun, the weights of its best epoch, or of its last one. */
  readonly #best: MergeValues[];

  private constructor(settings: FitSettings, { trainer, best, metrics }: Begun) {
    this.#settings = settings;
    this.#trainer = trainer;
    this.#best = best;
    this.metrics = metrics;
  }

  static async begin(settings: FitSettings): Promise<FitRun> {
    const checkpoint = await readCheckpoint(settings.folder, settings.dependencies);
    if (checkpoint === undefined) {
      const { start } = settings;
      return new FitRun(settings, { trainer: new Trainer(settings, start), best: [], metrics: [] });
    }
    return new FitRun(settings, { ...checkpoint, trainer: await Trainer.resume(settings, checkpoint.state) });
  }

  /** Runs the remaining epochs. Each is saved before it is yielded. */
  async *epochs(): AsyncGenerator<EpochDone> {
    const { recipe, folder } = this.#settings;
    const planned = epochsOf(recipe);
    for (const [index, phaseEpoch] of planned.entries()) {
      const done = this.metrics.at(-1)?.epoch ?? 0;
      const ofPhase = this.metrics.filter(({ epoch }) => planned[epoch - 1]?.phase === phaseEpoch.phase);
      const isSelfCritical = "samples" in phaseEpoch.phase.batch;
      if (isSelfCritical && writtenOf(this.#settings.data.captions).length === 0) continue; // no references to score captions against
      if (index < done || isPatienceOver(ofPhase.map(choosingScore), recipe.patience)) continue;
      if (isSelfCritical && phaseEpoch.epoch === 0) this.#startFromBest();
      const metrics = await this.#runEpoch({ epoch: index + 1, phaseEpoch, epochs: planned.length });
      const isAtLeast = (other: EpochMetrics) => choosingScore(metrics) >= choosingScore(other);
      const isBest = this.metrics.every(isAtLeast);
      const phase = recipe.phases.indexOf(phaseEpoch.phase);
      if (ofPhase.every(isAtLeast) || recipe.keeps === "last epoch") this.#best[phase] = this.#trainer.values();
      this.metrics.push(metrics);
      const state = await this.#trainer.state();
      await writeCheckpoint(folder, { state, best: this.#best, metrics: this.metrics }, this.#settings);
      yield { metrics, epochs: planned.length, isBest };
    }
  }

  /** Exports the decoder that the recipe keeps. */
  keptFiles(): Promise<ModelFiles> {
    return this.#filesOf(this.#settings.recipe.keeps === "mean of phases" ? this.#meanOfPhases() : this.#bestOfAll());
  }

  dispose(): void {
    this.#trainer.dispose();
  }

  /** Restarts from the best weights so far with fresh moments: another objective has gradients of another size. */
  #startFromBest(): void {
    this.#trainer.dispose();
    this.#trainer = new Trainer(this.#settings, this.#bestOfAll());
  }

  /** The weights of the best epoch so far, or of the last one; those before the first where there is none. */
  #bestOfAll(): MergeValues {
    const { recipe, start } = this.#settings;
    const scores = this.metrics.map(choosingScore);
    const epoch = recipe.keeps === "last epoch" ? scores.length - 1 : scores.lastIndexOf(Math.max(...scores));
    const phase = epochsOf(recipe)[(this.metrics[epoch]?.epoch ?? 0) - 1]?.phase;
    return this.#best[phase === undefined ? -1 : recipe.phases.indexOf(phase)] ?? start;
  }

  #meanOfPhases(): MergeValues {
    if (this.#best.length < 2) return this.#bestOfAll();
    const mean = weightNames.map((name) => [name, Float32Array.from(meanOf(this.#best.map((own) => own[name])))]);
    return Object.fromEntries(mean) as MergeValues; // an entry a name
  }

  async #runEpoch({
    epoch,
    epochs,
    phaseEpoch,
  }: {
    epoch: number;
    epochs: number;
    phaseEpoch: PhaseEpoch;
  }): Promise<EpochMetrics> {
    const { data, scorer } = this.#settings;
    const total = captionsOf(phaseEpoch.phase, data);
    const progress = showProgress(`fit: epoch ${epoch} of ${epochs}`, { total, unit: "captions" });
    const begunMs = performance.now();
    try {
      const onStep = (captions: number) => progress.advance(captions);
      const report = await this.#trainer.runEpoch(data, { number: epoch, phaseEpoch, onStep });
      if (!Number.isFinite(report.loss ?? report.reward))
        throw new Error(`epoch ${epoch}: the loss became NaN: lower --learning-rate`);
      const seconds = Math.round((performance.now() - begunMs) / 10) / 100;
      const scored = await scoreEach(scorer, await this.#filesOf(this.#trainer.values()));
      return { epoch, ...report, seconds, ...scored };
    } finally {
      progress.end();
    }
  }

  /** Exports a decoder for unscaled features. */
  async #filesOf(values: MergeValues): Promise<ModelFiles> {
    const { spec, scaling } = this.#settings;
    const network: LayersModel = mergeModel(spec, scaling?.fold(values) ?? values);
    try {
      return await toLayersFormat(network);
    } finally {
      network.dispose();
    }
  }
}

/** Counts the captions that an epoch learns from. */
function captionsOf({ batch }: TrainingPhase, data: TrainingData): number {
  if ("captions" in batch && batch.steps !== undefined) return batch.captions * batch.steps;
  if (!("samples" in batch)) return data.captions.length;
  return batch.samples * new Set(writtenOf(data.captions).map(({ photo }) => photo)).size;
}

interface Begun {
  trainer: Trainer;
  best: MergeValues[];
  metrics: EpochMetrics[];
}

async function scoreEach(
  scorer: Scorer | undefined,
  files: ModelFiles,
): Promise<Pick<EpochMetrics, "dev" | "devSets" | "samples">> {
  const scored: Pick<EpochMetrics, "dev" | "devSets" | "samples"> = { dev: {}, samples: [] };
  if (scorer === undefined) return scored;
  for (const search of epochSearches) {
    const { scores, sets, captions } = await scorer.score(files, searches[search]);
    scored.dev[search] = scores;
    for (const [name, own] of sets.size > 1 ? sets : []) {
      scored.devSets = { ...scored.devSets, [name]: { ...scored.devSets?.[name], [search]: own } };
    }
    scored.samples = captions
      .slice(0, samplesKept)
      .map((caption, index) => ({ photo: scorer.photoAt(index), caption }));
  }
  return scored;
}
