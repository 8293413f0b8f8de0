import { setImmediate } from "node:timers/promises";
import {
  AdamOptimizer,
  add,
  addN,
  dispose,
  div,
  minimum,
  mul,
  type NamedTensorMap,
  scalar,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  tidy,
  variable,
  variableGrads,
} from "@tensorflow/tfjs-core";
import { type MergeSpec, type MergeValues, type WeightName, weightNames, weightShapes } from "./merge-model.ts";
import { type PreparedStep, planSteps, type TrainingData } from "./plan-steps.ts";
import { learningRateAt, type PhaseEpoch, type Recipe } from "./recipe.ts";
import { type MergeVariables, teacherForcingLoss } from "./teacher-forcing.ts";

interface TrainerSettings {
  spec: MergeSpec;
  recipe: Recipe;
  seed: number;
  /** Whether word vectors are trained, too. */
  isEmbeddingTuned: boolean;
  /** Number of words that the weights knew at the start, the first of the vocabulary; set if others are new. */
  known?: number | undefined;
}

/** Everything that a run continues from, at the end of an epoch. */
export interface TrainerState {
  weights: MergeValues;
  /** Moving average of the weights, if the recipe has one. */
  average?: MergeValues;
  /** Number of steps that Adam has taken. */
  steps: number;
  /** Adam's first and second moments of the trained weights. */
  moments: { first: Partial<MergeValues>; second: Partial<MergeValues> };
}

/** The result of an epoch. */
export interface EpochReport {
  /**
   * Mean cross-entropy per word over the batches, dropout and label smoothing included; absent in a self-critical
   * epoch.
   */
  loss?: number;
  /** Mean CIDEr, at most 10, of the captions drawn in a self-critical epoch. */
  reward?: number;
  /** Learning rate of the last step. */
  learningRate: number;
}

interface EpochSettings {
  /** Number of the epoch, from 1, over all phases. */
  number: number;
  phaseEpoch: PhaseEpoch;
  /** Called after each step with its number of captions. */
  onStep(captions: number): void;
}

/** A decoder in training. The caller disposes it. */
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

  /** Continues from `state`. */
  static async resume(settings: TrainerSettings, state: TrainerState): Promise<Trainer> {
    const trainer = new Trainer(settings, state.weights);
    await trainer.#restore(state);
    return trainer;
  }

  /** Trains for one epoch: on each caption once, or on captions drawn for each photo. */
  async runEpoch(data: TrainingData, { number, phaseEpoch, onStep }: EpochSettings): Promise<EpochReport> {
    const isSelfCritical = "samples" in phaseEpoch.phase.batch;
    const { spec, recipe, seed } = this.#settings;
    const epoch = { number, phase: phaseEpoch.phase };
    const steps = planSteps(data, { variables: this.#variables, spec, recipe, seed, ...epoch });
    const { learningRate: highest, newWordRate = highest } = phaseEpoch.phase;
    const newWordTimes = this.#settings.known === undefined ? 1 : newWordRate / highest;
    let total = 0;
    let learningRate = 0;
    for (const [step, prepare] of steps.entries()) {
      learningRate = learningRateAt(phaseEpoch, { step, steps: steps.length });
      const prepared = prepare();
      const loss = this.#step(prepared, { learningRate, newWordTimes });
      total += prepared.reward ?? loss;
      if (!Number.isFinite(loss)) total = Number.NaN;
      onStep(prepared.captions);
      if (step % 16 === 0) await setImmediate(); // lets signals and timers run
    }
    await this.#settle();
    return { [isSelfCritical ? "reward" : "loss"]: total / steps.length, learningRate };
  }

  /** Returns the weights to score and export: their average, if the recipe has one. */
  values(): MergeValues {
    return readVariables(this.#average ?? this.#variables);
  }

  async state(): Promise<TrainerState> {
    const [iterations, ...weights] = await this.#adam.getWeights();
    dispose(iterations?.tensor ?? []); // made for this call
    const moments = weights.map(({ tensor: moment }) => Float32Array.from(moment.dataSync<"float32">()));
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

  /** Takes one step. Returns the loss before it. */
  #step(
    { parts }: PreparedStep,
    { learningRate, newWordTimes }: { learningRate: number; newWordTimes: number },
  ): number {
    const { maxGradientNorm, averageDecay } = this.#settings.recipe;
    return tidy(() => {
      const learnt = this.#learnt.map((name) => this.#variables[name]);
      const ready = parts.map(({ targetsOf, ...part }) => ({ ...part, targets: targetsOf?.() }));
      const losses = () => ready.map(({ batch, ...others }) => teacherForcingLoss(this.#variables, batch, others));
      const { value, grads } = variableGrads(() => losses().reduce((sum, loss) => add(sum, loss)), learnt);
      const clipped = maxGradientNorm === undefined ? grads : clipByNorm(grads, maxGradientNorm);
      const apply = () => this.#adam.apply(clipped, learningRate);
      if (newWordTimes > 1) this.#hastenNewWords(newWordTimes, apply);
      else apply();
      this.#steps += 1;
      if (averageDecay !== undefined) this.#updateAverage(averageDecay);
      return value.dataSync<"float32">()[0] ?? Number.NaN;
    });
  }

  /** Takes a step in which the weights of new words move `times` as far. */
  #hastenNewWords(times: number, step: () => void): void {
    const { spec, known = spec.vocabularySize } = this.#settings;
    const names = this.#learnt.filter((name) => /^(embedding|word_probabilities)\//.test(name));
    const before = names.map((name) => this.#variables[name].clone());
    step();
    const rates = Float32Array.from({ length: spec.vocabularySize }, (_, id) => (id < known ? 1 : times));
    for (const [index, name] of names.entries()) {
      const rate = tensor(rates, name === "embedding/embeddings" ? [spec.vocabularySize, 1] : [spec.vocabularySize]);
      const from = before[index] as Tensor; // one a name
      this.#variables[name].assign(add(from, mul(sub(this.#variables[name], from), rate)));
    }
  }

  /** Updates the exponential moving average; its first steps weigh less, as with TensorFlow's `num_updates`. */
  #updateAverage(decay: number): void {
    const kept = Math.min(decay, (1 + this.#steps) / (10 + this.#steps));
    for (const name of this.#learnt) {
      const average = this.#average?.[name];
      average?.assign(add(mul(average, kept), mul(this.#variables[name], 1 - kept)));
    }
  }

  /**
   * Saves and restores Adam's state. Adam updates powers of its constants by multiplication but recomputes them on
   * restore; restoring at the end of each epoch makes an interrupted run match an undisturbed one to the last bit.
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

/** Adam (Kingma and Ba 2015) with Keras' constants and a learning rate that may change at every step. */
class ScheduledAdam extends AdamOptimizer {
  constructor() {
    super(1e-3, 0.9, 0.999, 1e-7);
  }

  apply(gradients: NamedTensorMap, learningRate: number): void {
    this.learningRate = learningRate;
    this.applyGradients(Object.entries(gradients).map(([name, tensor]) => ({ name, tensor })));
  }
}

/**
 * Scales gradients down together if their joint norm is above `maxNorm` (Pascanu et al. 2013). The caller disposes
 * them.
 */
function clipByNorm(gradients: NamedTensorMap, maxNorm: number): NamedTensorMap {
  return tidy(() => {
    const squares = Object.values(gradients).map((gradient) => sum(square(gradient)));
    const norm = sqrt(addN(squares));
    const scale = minimum(1, div(maxNorm, add(norm, 1e-12)));
    return Object.fromEntries(
      Object.entries(gradients).map(([name, gradient]): [string, Tensor] => [name, mul(gradient, scale)]),
    );
  });
}
