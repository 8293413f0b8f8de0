import { setImmediate } from "node:timers/promises";
import {
  AdamOptimizer,
  add,
  dispose,
  div,
  matMul,
  mean,
  mul,
  type Rank,
  sigmoid,
  sub,
  type Tensor2D,
  tensor1d,
  tensor2d,
  tidy,
  type Variable,
  variable,
  zeros,
} from "@tensorflow/tfjs-core";
import { showProgress } from "../../terminal/progress.ts";
import { inChunks, showPhotos, type TrainingFeatures } from "../fit/batches.ts";
import { FeatureScaling } from "../fit/feature-scaling.ts";
import { dropoutMask, randomFor, shuffled } from "../keyed-random.ts";
import type { ConceptTargets } from "./choose-concepts.ts";
import type { Dense } from "./evidence-network.ts";

interface TrainedDetectors extends Dense {
  /** For each concept, the mean probability that its detector gives to the photos that show it. */
  recall: readonly number[];
}

interface TrainingParts extends TrainingFeatures, ConceptTargets {
  featureSize: number;
  /** For each photo, whether its targets are words that a labeller gave, and not those of captions. */
  isWorded: readonly boolean[];
  seed: number;
}

/** Constants of the training, chosen by the captions of `everyday-dev` and Flickr8k's dev that its detectors led to. */
const epochs = 10;
const photosAtOnce = 256;
const learningRate = 1e-3;
const dropout = 0.5;

/** Added to the features' deviations, as in the decoder's recipe: rarely used channels would reach extreme values. */
const deviationFloor = 0.06;

/**
 * Trains the detectors by logistic regression with soft targets. Returns them for features as they are. Standardizes the
 * given features in place.
 */
export async function trainDetectors(parts: TrainingParts): Promise<TrainedDetectors> {
  const { features, mirrored, featureSize, concepts, seed } = parts;
  const scaling = new FeatureScaling(features, { featureSize, floor: deviationFloor });
  scaling.standardize(features);
  if (mirrored !== undefined) scaling.standardize(mirrored);
  const photos = Array.from({ length: features.length / featureSize }, (_, photo) => photo);
  const batches = Math.ceil(photos.length / photosAtOnce);
  const kernel = tidy(() => variable(zeros<Rank.R2>([featureSize, concepts.length])));
  const bias = tidy(() => variable(tensor1d(startBias(parts))));
  const adam = new AdamOptimizer(learningRate, 0.9, 0.99, 1e-8);
  const progress = showProgress("evidence", { total: epochs * photos.length, unit: "photos" });
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = shuffled(photos, randomFor(seed, "evidence", epoch));
      for (const [step, some] of inChunks(order, photosAtOnce).entries()) {
        const random = randomFor(seed, "evidence", epoch, step);
        const shown = showPhotos(parts, { photos: some, featureSize, random });
        const mask = dropoutMask(random, { size: shown.length, rate: dropout });
        for (let place = 0; place < shown.length; place++) shown[place] = (shown[place] ?? 0) * (mask[place] ?? 0);
        const done = (epoch * batches + step) / (epochs * batches);
        Object.assign(adam, { learningRate: (learningRate * (1 + Math.cos(Math.PI * done))) / 2 });
        learnStep({ kernel, bias, adam }, { shown, ...targetsOf(parts, some) });
        progress.advance(some.length);
        if (step % 16 === 0) await setImmediate(); // lets signals and timers run
      }
    }
    const recall = measureRecall({ kernel, bias }, { ...parts, photos });
    const learnt = { kernel: kernel.dataSync<"float32">(), bias: bias.dataSync<"float32">() };
    if (!learnt.kernel.every(Number.isFinite)) throw new Error("evidence: the detectors' weights became NaN");
    return { ...scaling.foldDense(learnt), recall };
  } finally {
    progress.end();
    dispose([kernel, bias]);
    adam.dispose();
  }
}

interface Variables {
  kernel: Variable<Rank.R2>;
  bias: Variable<Rank.R1>;
}

interface TargetMatrices {
  /** float32 [photos, concepts]. */
  targets: Float32Array;
  /** float32 [photos, concepts]: 1 where the target is known, else 0. */
  known: Float32Array;
  rows: number;
}

/** Lays the photos' targets out. What a labeller cannot say of a photo is not known. */
function targetsOf(
  { concepts, targets: all, isLabelled, isWorded }: TrainingParts,
  photos: readonly number[],
): TargetMatrices {
  const width = concepts.length;
  const targets = new Float32Array(photos.length * width);
  const known = new Float32Array(photos.length * width).fill(1);
  const labelled = Float32Array.from(isLabelled, Number);
  for (const [row, photo] of photos.entries()) {
    for (const [concept, target] of all[photo] ?? []) targets[row * width + concept] = target;
    if (isWorded[photo]) known.set(labelled, row * width);
  }
  return { targets, known, rows: photos.length };
}

/** Takes a step along the gradient of the mean cross-entropy, which for a logistic regression needs no tape. */
function learnStep(
  { kernel, bias, adam }: Variables & { adam: AdamOptimizer },
  { shown, targets, known, rows }: TargetMatrices & { shown: Float32Array },
): void {
  tidy(() => {
    const input = tensor2d(shown, [rows, shown.length / rows]);
    const ofShape = (values: Float32Array) => tensor2d(values, [rows, values.length / rows]);
    const error = mul(sub(probabilities({ kernel, bias }, input), ofShape(targets)), ofShape(known)) as Tensor2D;
    adam.applyGradients({ [kernel.name]: div(matMul(input, error, true), rows), [bias.name]: mean(error, 0) });
  });
}

function probabilities({ kernel, bias }: Variables, input: Tensor2D): Tensor2D {
  return sigmoid(add(matMul(input, kernel), bias));
}

/** The logit of each concept's mean target, so that training starts from what is usual. */
function startBias(parts: TrainingParts): Float32Array {
  const { concepts, targets, isWorded, isLabelled } = parts;
  const sums = new Float64Array(concepts.length);
  for (const own of targets) for (const [concept, target] of own) sums[concept] = (sums[concept] ?? 0) + target;
  const worded = isWorded.filter(Boolean).length;
  return Float32Array.from(sums, (sum, concept) => {
    const photos = isLabelled[concept] ? targets.length : targets.length - worded;
    const share = Math.min(0.999, Math.max(1e-4, sum / photos));
    return Math.log(share / (1 - share));
  });
}

function measureRecall(variables: Variables, parts: TrainingParts & { photos: readonly number[] }): number[] {
  const { features, featureSize, concepts } = parts;
  const found = new Float64Array(concepts.length);
  const shown = new Float64Array(concepts.length);
  for (const some of inChunks(parts.photos, photosAtOnce)) {
    const { targets } = targetsOf(parts, some);
    const from = (some[0] ?? 0) * featureSize;
    const values = features.subarray(from, from + some.length * featureSize);
    const given = tidy(() => probabilities(variables, tensor2d(values, [some.length, featureSize])).dataSync());
    for (const [place, target] of targets.entries()) {
      const concept = place % concepts.length;
      found[concept] = (found[concept] ?? 0) + target * (given[place] ?? 0);
      shown[concept] = (shown[concept] ?? 0) + target;
    }
  }
  return Array.from(found, (sum, concept) => sum / Math.max(1e-9, shown[concept] ?? 0));
}
