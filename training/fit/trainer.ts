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
  /** Whether the words' vectors are learnt, too. */
  isEmbeddingTuned: boolean;
  /** How many words the weights knew at the start, the first of the vocabulary, where others are new. */
  known?: number | undefined;
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
  /** Mean cross-entropy a word over the batches, dropout and label smoothing included; of a self-critical epoch none. */
  loss?: number;
  /** Of a self-critical epoch: mean CIDEr of the captions drawn, of which 10 is the most. */
  reward?: number;
  /** At the last step. */
  learningRate: number;
}

interface EpochSettings {
  /** From 1, over all phases. */
  number: number;
  phaseEpoch: PhaseEpoch;
  /** Told how many captions a step took. */
  onStep(captions: number): void;
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

  /** Learns from each caption once, or from captions of its own for each photo. */
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
      if (step % 16 === 0) await setImmediate(); // signals and timers get their turn
    }
    await this.#settle();
    return { [isSelfCritical ? "reward" : "loss"]: total / steps.length, learningRate };
  }

  /** The weights to score and export: their average, where the recipe has one. */
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

  /** Returns the loss before it. */
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

  /** Takes a step, and takes the weights of new words so many times as far. */
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

/** Adam (Kingma and Ba 2015) with Keras' constants, whose rate may change at every step. */
export class ScheduledAdam extends AdamOptimizer {
  constructor() {
    super(1e-3, 0.9, 0.999, 1e-7);
  }

  apply(gradients: NamedTensorMap, learningRate: number): void {
    this.learningRate = learningRate;
    this.applyGradients(Object.entries(gradients).map(([name, tensor]) => ({ name, tensor })));
  }
}

/** Gradients scaled down together where their joint norm is above `maxNorm` (Pascanu et al. 2013). Caller disposes them. */
export function clipByNorm(gradients: NamedTensorMap, maxNorm: number): NamedTensorMap {
  return tidy(() => {
    const squares = Object.values(gradients).map((gradient) => sum(square(gradient)));
    const norm = sqrt(addN(squares));
    const scale = minimum(1, div(maxNorm, add(norm, 1e-12)));
    return Object.fromEntries(
      Object.entries(gradients).map(([name, gradient]): [string, Tensor] => [name, mul(gradient, scale)]),
    );
  });
}
