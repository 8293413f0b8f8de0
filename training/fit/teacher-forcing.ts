import {
  add,
  customGrad,
  exp,
  fill,
  type GradSaveFunc,
  gather,
  gatherND,
  logSoftmax,
  matMul,
  mean,
  mul,
  neg,
  relu,
  reshape,
  type Scalar,
  scatterND,
  stack,
  sub,
  sum,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  tensor,
  tensor1d,
  transpose,
  type Variable,
} from "@tensorflow/tfjs-core";
import { runLstm } from "./lstm.ts";
import type { WeightName } from "./merge-model.ts";

export type MergeVariables = Record<WeightName, Variable>;

/** Weights that are read but not trained: variables, or tensors of their shapes. */
export type MergeTensors = Record<WeightName, Tensor>;

/** Captions of one training step. Shapes are [steps, rows]; a row is a caption, a step a word. */
export interface Batch {
  rows: number;
  steps: number;
  /** float32 [rows, featureSize], dropout already applied. */
  features: Float32Array;
  /** int32 [steps, rows]: start word and the caption's words, then 0. */
  words: Int32Array;
  /** int32 [steps, rows]: the word after each of `words`, the end word last. */
  next: Int32Array;
  /** float32 [steps, rows]: each word's weight in the loss, 0 after the end. */
  weights: Float32Array;
}

/** Factors of dropout, if it applies: float32 [steps · rows, embeddingSize] and [steps · rows, units]. */
export interface Masks {
  words?: Float32Array;
  merge?: Float32Array;
}

interface LossSettings {
  masks?: Masks | undefined;
  labelSmoothing?: number | undefined;
  /** The target distribution of each next word, instead of one word: float32 [steps · rows, vocabularySize]. */
  targets?: Tensor2D | undefined;
}

/**
 * The cross-entropy of a batch's words, each given all words before it: whole captions at once, since the LSTM's state
 * after word i is that of the prefix of i words. With label smoothing, that share of each target goes to all words alike.
 */
export function teacherForcingLoss(
  variables: MergeVariables,
  batch: Batch,
  { masks = {}, labelSmoothing = 0, targets }: LossSettings = {},
): Scalar {
  return crossEntropy(wordLogits(variables, batch, masks), { batch, labelSmoothing, targets });
}

/** Computes the logits of the word after each of a batch's words: float32 [steps · rows, vocabularySize]. */
export function wordLogits(variables: MergeTensors, batch: Batch, masks: Masks = {}): Tensor2D {
  const { rows, steps } = batch;
  const units = variables["dense/bias"].size;
  const embedded = embedWords(variables, batch.words);
  const vectors = masks.words === undefined ? embedded : mul(embedded, tensor(masks.words, embedded.shape));
  const gates = reshape(affine(variables, "lstm", vectors), [steps, rows, 4 * units]) as Tensor3D;
  const sentences = runLstm(gates, variables["lstm/recurrent_kernel"] as Tensor as Tensor2D); // [steps, rows, units]
  const images = projectImages(variables, batch); // [rows, units]
  const merged = reshape(add(sentences, images), [steps * rows, units]);
  const kept = masks.merge === undefined ? merged : mul(merged, tensor(masks.merge, merged.shape));
  return logitsOf(variables, kept);
}

/** The words' vectors: float32 [words, embeddingSize]. */
export function embedWords(variables: MergeTensors, words: Int32Array): Tensor2D {
  return lookUp(variables["embedding/embeddings"] as Tensor as Tensor2D, words);
}

/** The photos' values before the merge: float32 [rows, units]. No gradient goes to the features. */
export function projectImages(
  variables: MergeTensors,
  { features, rows }: { features: Float32Array; rows: number },
): Tensor2D {
  const photos = tensor(features, [rows, features.length / rows]) as Tensor2D;
  const kernel = variables["image_dense/kernel"] as Tensor as Tensor2D;
  return relu(add(productOfConstant(photos, kernel), variables["image_dense/bias"])) as Tensor2D;
}

/** The decoder's layers after the merge: float32 [n, units] → [n, vocabularySize]. */
export function logitsOf(variables: MergeTensors, merged: Tensor): Tensor2D {
  return affine(variables, "word_probabilities", relu(affine(variables, "dense", merged)));
}

/** values · kernel + bias of a layer. */
export function affine(
  variables: MergeTensors,
  layer: "lstm" | "dense" | "word_probabilities",
  values: Tensor,
): Tensor2D {
  const kernel = variables[`${layer}/kernel`] as Tensor as Tensor2D;
  return add(product(values as Tensor2D, kernel), variables[`${layer}/bias`]) as Tensor2D;
}

/**
 * a · b, [n, m] and [m, k]. Its gradient multiplies by transposed copies: TensorFlow.js' own multiplies by matrices
 * that are only flagged as transposed, which takes its WebAssembly backend ten times as long.
 */
const product: (a: Tensor2D, b: Tensor2D) => Tensor2D = customGrad<Tensor2D>((...args: (Tensor | GradSaveFunc)[]) => {
  const [one, other, save] = args as [Tensor2D, Tensor2D, GradSaveFunc]; // customGrad appends the last
  save([one, other]);
  return {
    value: matMul(one, other),
    gradFunc: (outer: Tensor2D, [a, b]: Tensor[]) => [
      matMul(outer, transpose(b as Tensor2D)),
      matMul(transpose(a as Tensor2D), outer),
    ],
  };
});

/** The same without a gradient of `a`. */
function productOfConstant(a: Tensor2D, b: Tensor2D): Tensor2D {
  const product = customGrad<Tensor2D>((...args) => {
    const [other, save] = args as [Tensor2D, GradSaveFunc]; // customGrad appends the last
    save([a]);
    return {
      value: matMul(a, other),
      gradFunc: (outer: Tensor2D, [constant]: Tensor[]) => matMul(transpose(constant as Tensor2D), outer),
    };
  });
  return product(b);
}

/** Looks up rows of `vectors`, [words, size]. Its gradient works on every backend; that of gather does not. */
function lookUp(vectors: Tensor2D, words: Int32Array): Tensor2D {
  const rowsOf = customGrad<Tensor2D>((...args) => {
    const [table, save] = args as [Tensor2D, GradSaveFunc]; // customGrad appends the last
    const ids = tensor1d(words, "int32");
    save([reshape(ids, [-1, 1])]);
    return {
      value: gather(table, ids),
      gradFunc: (outer: Tensor2D, [places]: Tensor[]) => scatterND(places as Tensor2D, outer, vectors.shape), // sums the rows of a word
    };
  });
  return rowsOf(vectors);
}

/** Σ weight · cross-entropy of each row of `logits`, in fewer passes than the tape would take. */
function crossEntropy(
  logits: Tensor2D,
  { batch, labelSmoothing, targets }: { batch: Batch; labelSmoothing: number; targets: Tensor2D | undefined },
): Scalar {
  const { next, weights } = batch;
  const entropy = customGrad<Scalar>((...args) => {
    const [values, save] = args as [Tensor2D, GradSaveFunc]; // customGrad appends the last
    const logProbabilities = logSoftmax(values);
    const rows = Int32Array.from(next.keys());
    const places = stack([tensor1d(rows, "int32"), tensor1d(next, "int32")], 1) as Tensor2D; // positions of the targets
    const shares = tensor1d(weights);
    save([logProbabilities, places, shares]);
    const likely = targets === undefined ? gatherND(logProbabilities, places) : sum(mul(targets, logProbabilities), 1);
    const ofTargets = mul(likely, 1 - labelSmoothing);
    const ofAll = labelSmoothing === 0 ? 0 : mul(mean(logProbabilities, 1), labelSmoothing);
    return {
      value: neg(sum(mul(add(ofTargets, ofAll), shares))) as Scalar,
      gradFunc: (outer: Scalar, [logs, found, counted]: Tensor[]) => {
        const wanted =
          targets === undefined
            ? scatterND(found as Tensor2D, fill([rows.length], 1 - labelSmoothing), logits.shape)
            : mul(targets, 1 - labelSmoothing);
        const excess = sub(exp(logs as Tensor), wanted);
        const smoothed = labelSmoothing === 0 ? excess : sub(excess, labelSmoothing / logits.shape[1]);
        return mul(smoothed, mul(reshape(counted as Tensor, [-1, 1]), outer));
      },
    };
  });
  return entropy(logits);
}
