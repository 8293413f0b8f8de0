import { setImmediate } from "node:timers/promises";
import {
  add,
  dispose,
  mul,
  scalar,
  sub,
  type Tensor,
  type Tensor2D,
  tensor,
  tidy,
  variable,
  variableGrads,
} from "@tensorflow/tfjs-core";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";
import { chooseOne, randomFor, shuffled } from "../keyed-random.ts";
import { clipByNorm, ScheduledAdam } from "./adam.ts";
import {
  bucketedBatches,
  groupByPhoto,
  inChunks,
  photoBatches,
  repeatedBatches,
  type TrainingCaption,
} from "./batches.ts";
import {
  type Dropout,
  type MergeSpec,
  type MergeValues,
  type WeightName,
  weightNames,
  weightShapes,
} from "./merge-model.ts";
import { prepareBatch, type TrainingFeatures } from "./prepare-batch.ts";
import { learningRateAt, type Phase, type PhaseBatch, type PhaseEpoch, type Recipe } from "./recipe.ts";
import type { Rehearsing } from "./rehearsing.ts";
import { drawCaptions, type Rewarding } from "./self-critical.ts";
import { type Batch, type Masks, type MergeVariables, teacherForcingLoss } from "./teacher-forcing.ts";

/** What there is to learn from. */
export interface TrainingData extends TrainingFeatures {
  captions: readonly TrainingCaption[];
  /** What a self-critical phase measures its captions by; asked for when there is one. */
  rewarding?: () => Rewarding;
  /** What it is to keep saying; learnt beside the captions where a phase asks for it. */
  rehearsing?: Rehearsing | undefined;
}

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

/** A step that is ready to be taken: its loss is the sum of its parts'. */
interface PreparedStep {
  parts: readonly { batch: Batch; masks?: Masks; labelSmoothing?: number; targetsOf?: () => Tensor2D }[];
  /** How many captions it learns from. */
  captions: number;
  /** Of captions that were drawn. */
  reward?: number;
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
    const steps = this.#plan(data, { number, phase: phaseEpoch.phase });
    const { learningRate: highest, newWordRate = highest } = phaseEpoch.phase;
    const newWordTimes = this.#settings.known === undefined ? 1 : newWordRate / highest;
    let total = 0;
    let learningRate = 0;
    for (const [step, prepare] of steps.entries()) {
      learningRate = learningRateAt(phaseEpoch, { step, steps: steps.length });
      const prepared = this.#addRehearsal(prepare(), {
        data,
        phase: phaseEpoch.phase,
        random: this.#random(number, `rehearsal ${step}`),
      });
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

  /** An epoch's steps, in their order; each is prepared when its turn comes, since drawn captions depend on the weights. */
  #plan(data: TrainingData, { number, phase }: { number: number; phase: Phase }): (() => PreparedStep)[] {
    const { spec, recipe } = this.#settings;
    const { dropout, labelSmoothing } = recipe;
    const { batch } = phase;
    if ("samples" in batch) return this.#planSelfCritical(data, { number, batch });
    const batches =
      "photos" in batch
        ? photoBatches(data.captions, batch.photos)
        : captionBatches(data.captions, { batch, random: this.#random(number, "order") });
    return batches.map((captions, step) => () => {
      const prepared = prepareBatch(data, captions, { spec, dropout, random: this.#random(number, step) });
      return { parts: [{ ...prepared, labelSmoothing }], captions: captions.length };
    });
  }

  #planSelfCritical(
    data: TrainingData,
    { number, batch }: { number: number; batch: Extract<PhaseBatch, { samples: number }> },
  ): (() => PreparedStep)[] {
    const { spec, recipe } = this.#settings;
    const rewarding = data.rewarding?.();
    if (rewarding === undefined) throw new Error("expected references to reward drawn captions by, found none");
    const ofPhoto = groupByPhoto(writtenOf(data));
    const photos = shuffled([...ofPhoto.keys()], this.#random(number, "order"));
    const pseudo = shuffled(
      data.captions.filter(({ isPseudo }) => isPseudo),
      this.#random(number, "pseudo"),
    );
    return inChunks(photos, batch.photos).map((some, step) => () => {
      const random = this.#random(number, step);
      const settings = { ...rewarding, samples: batch.samples, random };
      const drawn = drawCaptions(this.#variables, data, { photos: some, settings });
      const written = some.map((photo) => chooseOne(ofPhoto.get(photo) ?? [], random));
      const { dropout, labelSmoothing } = recipe;
      const anchor = prepareBatch(data, written, { spec, dropout: noDropout, random });
      const parts: PreparedStep["parts"][number][] = [
        { batch: drawn.batch },
        { batch: weighed(anchor.batch, batch.anchor), labelSmoothing },
      ];
      const held = pseudo
        .slice(0, batch.photos)
        .map((_, index) => pseudo[(step * batch.photos + index) % pseudo.length]);
      if (held.length > 0) {
        const alike = held.flatMap((caption) => (caption === undefined ? [] : [{ ...caption, weight: 1 }]));
        const prepared = prepareBatch(data, alike, { spec, dropout, random });
        parts.push({ ...prepared, batch: weighed(prepared.batch, batch.pseudoAnchor), labelSmoothing });
      }
      return {
        parts,
        captions: drawn.batch.rows,
        reward: drawn.reward,
      };
    });
  }

  /** A step that also learns from some of what is rehearsed, where the phase has it so. */
  #addRehearsal(
    step: PreparedStep,
    { data, phase, random }: { data: TrainingData; phase: Phase; random: RandomGenerator },
  ): PreparedStep {
    const { rehearsal } = phase;
    if (rehearsal === undefined || data.rehearsing === undefined) return step;
    const { spec, recipe } = this.#settings;
    const drawn = data.rehearsing.draw(rehearsal.captions, { spec, dropout: recipe.dropout, random });
    const share = rehearsal.weight / (1 + rehearsal.weight);
    const weighted = <Part extends PreparedStep["parts"][number]>(part: Part, by: number) => {
      return { ...part, batch: { ...part.batch, weights: part.batch.weights.map((weight) => by * weight) } };
    };
    return { ...step, parts: [...step.parts.map((part) => weighted(part, 1 - share)), weighted(drawn, share)] };
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

  #random(epoch: number, of: number | string): RandomGenerator {
    return randomFor(this.#settings.seed, "epoch", epoch, of);
  }
}

function captionBatches(
  captions: readonly TrainingCaption[],
  { batch, random }: { batch: { captions: number; steps?: number }; random: RandomGenerator },
): TrainingCaption[][] {
  const { captions: size, steps } = batch;
  return steps === undefined
    ? bucketedBatches(captions, { size, random })
    : repeatedBatches(captions, { size, steps, random });
}

/** The captions that people wrote for their photos. */
export function writtenOf({ captions }: Pick<TrainingData, "captions">): TrainingCaption[] {
  return captions.filter(({ isPseudo }) => isPseudo === undefined);
}

function weighed(batch: Batch, by: number): Batch {
  return { ...batch, weights: batch.weights.map((weight) => by * weight) };
}

const noDropout: Dropout = { image: 0, words: 0, merge: 0 };

function toVariables(spec: MergeSpec, values: MergeValues): MergeVariables {
  const shapes = weightShapes(spec);
  const made = weightNames.map((name) => [name, tidy(() => variable(tensor(values[name], [...shapes[name]])))]);
  return Object.fromEntries(made) as MergeVariables; // an entry a name
}

function readVariables(variables: MergeVariables): MergeValues {
  const read = weightNames.map((name) => [name, Float32Array.from(variables[name].dataSync<"float32">())]);
  return Object.fromEntries(read) as MergeValues; // an entry a name
}
