import { setImmediate } from "node:timers/promises";
import { add, dispose, mul, scalar, tensor, tidy, variable, variableGrads } from "@tensorflow/tfjs-core";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";
import { clipByNorm, ScheduledAdam } from "./adam.ts";
import { bucketedBatches, layOut, photoBatches, type TrainingCaption } from "./batches.ts";
import { dropoutMask, randomFor } from "./keyed-random.ts";
import { type MergeSpec, type MergeValues, type WeightName, weightNames, weightShapes } from "./merge-model.ts";
import { learningRateAt, type PhaseEpoch, type Recipe } from "./recipe.ts";
import { type Batch, type Masks, type MergeVariables, teacherForcingLoss } from "./teacher-forcing.ts";

/** What there is to learn from. */
export interface TrainingData {
  captions: readonly TrainingCaption[];
  /** float32 [photos, featureSize]. */
  features: Float32Array;
  /** Of the photos' mirror images, of the same shape: each caption is then learnt from one or the other. */
  mirrored?: Float32Array;
}

interface TrainerSettings {
  spec: MergeSpec;
  recipe: Recipe;
  seed: number;
  /** Whether the words' vectors are learnt, too. */
  isEmbeddingTuned: boolean;
}

/** Everything that a run goes on from, at the end of an epoch. */
export interface TrainerState {
  weights: MergeValues;
  /** Of the weights over the steps, where the recipe has one. */
  average?: MergeValues;
  /** Steps that Adam has done. */
  steps: number;
  /** Adam's first and second moments of the weights that are learnt. */
  moments: { first: Partial<MergeValues>; second: Partial<MergeValues> };
}

/** What became of an epoch. */
export interface EpochReport {
  /** Mean over the batches, dropout and label smoothing included. */
  loss: number;
  /** At the last step. */
  learningRate: number;
}

/** A decoder that is being learnt. Whoever makes one disposes it. */
export class Trainer {
  readonly #settings: TrainerSettings;
  readonly #variables: MergeVariables;
  readonly #average: MergeVariables | undefined;
  readonly #learnt: readonly WeightName[];
  readonly #adam = new ScheduledAdam();
  #steps = 0;

  constructor(settings: TrainerSettings, weights: MergeValues) {
    this.#settings = settings;
    const { spec, recipe, isEmbeddingTuned } = settings;
    this.#variables = toVariables(spec, weights);
    this.#average = recipe.averageDecay === undefined ? undefined : toVariables(spec, weights);
    this.#learnt = weightNames.filter((name) => isEmbeddingTuned || name !== "embedding/embeddings");
  }

  /** Goes on from where `state` was taken. */
  static async resume(settings: TrainerSettings, state: TrainerState): Promise<Trainer> {
    const trainer = new Trainer(settings, state.weights);
    await trainer.#restore(state);
    return trainer;
  }

  /** Learns from each caption once. `onStep` is told how many captions a step took. */
  async runEpoch(
    data: TrainingData,
    { number, phaseEpoch, onStep }: { number: number; phaseEpoch: PhaseEpoch; onStep(captions: number): void },
  ): Promise<EpochReport> {
    const { batch } = phaseEpoch.phase;
    const batches =
      "photos" in batch
        ? photoBatches(data.captions, batch.photos)
        : bucketedBatches(data.captions, { size: batch.captions, random: this.#random(number, "order") });
    let total = 0;
    let learningRate = 0;
    for (const [step, captions] of batches.entries()) {
      learningRate = learningRateAt(phaseEpoch, { step, steps: batches.length });
      total += this.#step(this.#prepare(data, { captions, random: this.#random(number, step) }), learningRate);
      onStep(captions.length);
      if (step % 16 === 0) await setImmediate(); // signals and timers get their turn
    }
    await this.#settle();
    return { loss: total / batches.length, learningRate };
  }

  /** The weights to score and export: their average, where the recipe has one. */
  values(): MergeValues {
    return readVariables(this.#average ?? this.#variables);
  }

  async state(): Promise<TrainerState> {
    const [, ...moments] = (await this.#adam.getWeights()).map(({ tensor: moment }) => moment.dataSync<"float32">());
    const named = (values: Float32Array[]) =>
      Object.fromEntries(this.#learnt.map((name, index) => [name, values[index]])) as Partial<MergeValues>;
    return {
      weights: readVariables(this.#variables),
      ...(this.#average === undefined ? {} : { average: readVariables(this.#average) }),
      steps: this.#steps,
      moments: { first: named(moments), second: named(moments.slice(this.#learnt.length)) },
    };
  }

  dispose(): void {
    dispose([this.#variables, this.#average ?? {}]);
    this.#adam.dispose();
  }

  /** Features with dropout, and the masks of the rest, drawn in this order. */
  #prepare(
    { features, mirrored }: TrainingData,
    { captions, random }: { captions: readonly TrainingCaption[]; random: RandomGenerator },
  ): { batch: Batch; masks: Masks } {
    const { featureSize, embeddingSize, units } = this.#settings.spec;
    const { dropout } = this.#settings.recipe;
    const laidOut = layOut(captions);
    const words = laidOut.steps * laidOut.rows;
    const shown = dropoutMask(random, { size: laidOut.rows * featureSize, rate: dropout.image });
    for (const [row, { photo }] of captions.entries()) {
      const source = mirrored !== undefined && (random.next() & 1) === 1 ? mirrored : features;
      for (let index = 0; index < featureSize; index++) {
        shown[row * featureSize + index] =
          (shown[row * featureSize + index] ?? 0) * (source[photo * featureSize + index] ?? 0);
      }
    }
    const masks: Masks = {};
    if (dropout.words > 0) masks.words = dropoutMask(random, { size: words * embeddingSize, rate: dropout.words });
    if (dropout.merge > 0) masks.merge = dropoutMask(random, { size: words * units, rate: dropout.merge });
    return { batch: { ...laidOut, features: shown }, masks };
  }

  /** Returns the loss before it. */
  #step({ batch, masks }: { batch: Batch; masks: Masks }, learningRate: number): number {
    const { labelSmoothing, maxGradientNorm, averageDecay } = this.#settings.recipe;
    return tidy(() => {
      const learnt = this.#learnt.map((name) => this.#variables[name]);
      const { value, grads } = variableGrads(
        () => teacherForcingLoss(this.#variables, batch, { masks, labelSmoothing }),
        learnt,
      );
      this.#adam.apply(maxGradientNorm === undefined ? grads : clipByNorm(grads, maxGradientNorm), learningRate);
      this.#steps += 1;
      if (averageDecay !== undefined) this.#updateAverage(averageDecay);
      return value.dataSync<"float32">()[0] ?? Number.NaN;
    });
  }

  /** An exponential moving average whose first steps weigh less (as TensorFlow's `num_updates` has it). */
  #updateAverage(decay: number): void {
    const kept = Math.min(decay, (1 + this.#steps) / (10 + this.#steps));
    for (const name of this.#learnt) {
      const average = this.#average?.[name];
      average?.assign(add(mul(average, kept), mul(this.#variables[name], 1 - kept)));
    }
  }

  /**
   * Adam keeps powers of its constants by multiplying on, but works them out anew when it is restored. It is restored here
   * at each epoch's end, so that a run that went on after a kill has the same last bits.
   */
  async #settle(): Promise<void> {
    const weights = await this.#adam.getWeights();
    await this.#adam.setWeights(weights);
    dispose(weights.map(({ tensor: moment }) => moment));
  }

  async #restore({ average, steps, moments }: TrainerState): Promise<void> {
    const shapes = weightShapes(this.#settings.spec);
    const weights = [moments.first, moments.second].flatMap((values) =>
      this.#learnt.map((name) => ({ name, tensor: tensor(values[name] ?? new Float32Array(), [...shapes[name]]) })),
    );
    const iterations = { name: "iter", tensor: scalar(steps, "int32") };
    await this.#adam.setWeights([iterations, ...weights]);
    dispose([iterations, ...weights].map(({ tensor: restored }) => restored));
    for (const name of weightNames) {
      if (average !== undefined) tidy(() => this.#average?.[name].assign(tensor(average[name], [...shapes[name]])));
    }
    this.#steps = steps;
  }

  #random(epoch: number, of: number | string): RandomGenerator {
    return randomFor(this.#settings.seed, "epoch", epoch, of);
  }
}

function toVariables(spec: MergeSpec, values: MergeValues): MergeVariables {
  const shapes = weightShapes(spec);
  const made = weightNames.map((name) => [name, tidy(() => variable(tensor(values[name], [...shapes[name]])))]);
  return Object.fromEntries(made) as MergeVariables; // an entry a name
}

function readVariables(variables: MergeVariables): MergeValues {
  const read = weightNames.map((name) => [name, Float32Array.from(variables[name].dataSync<"float32">())]);
  return Object.fromEntries(read) as MergeValues; // an entry a name
}
