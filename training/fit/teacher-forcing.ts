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

/** Weights that are read and not trained: variables, or tensors of their shapes. */
export type MergeTensors = Record<WeightName, Tensor>;

/** A batch of captions. Shapes are [steps, rows]: a row is a caption, a step a word. */
export interface Batch {
  rows: number;
  steps: number;
  /** float32 [rows, featureSize], after dropout. */
  features: Float32Array;
  /** int32 [steps, rows]: the start word and the caption's words, then 0. */
  words: Int32Array;
  /** int32 [steps, rows]: the word after each of `words`, the end word last. */
  next: Int32Array;
  /** float32 [steps, rows]: the weight of each word in the loss, 0 after the end. */
  weights: Float32Array;
}

/** Dropout masks, where there is dropout: float32 [steps · rows, embeddingSize] and [steps · rows, units]. */
export interface Masks {
  words?: Float32Array;
  merge?: Float32Array;
}

interface LossSettings {
  masks?: Masks | undefined;
  labelSmoothing?: number | undefined;
  /** Probabilities of every word instead of a single next word: float32 [steps · rows, vocabularySize]. */
  targets?: Tensor2D | undefined;
}

/**
 * Computes the cross-entropy of a batch's words, each given all words before it. Whole captions are processed at once,
 * since the LSTM's state after word i is that of the prefix of i words. With label smoothing, that share of each target
 * is spread over all words.
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
  const kernel = (layer: "image_dense" | "lstm" | "dense" | "word_probabilities") =>
    variables[`${layer}/kernel`] as Tensor as Tensor2D;
  const affine = (values: Tensor, layer: "lstm" | "dense" | "word_probabilities") =>
    add(product(values as Tensor2D, kernel(layer)), variables[`${layer}/bias`]);
  const embedded = lookUp(variables["embedding/embeddings"] as Tensor as Tensor2D, batch.words);
  const vectors = masks.words === undefined ? embedded : mul(embedded, tensor(masks.words, embedded.shape));
  const gates = reshape(affine(vectors, "lstm"), [steps, rows, 4 * units]) as Tensor3D;
  const sentences = runLstm(gates, variables["lstm/recurrent_kernel"] as Tensor as Tensor2D); // [steps, rows, units]
  const photos = tensor(batch.features, [rows, batch.features.length / rows]) as Tensor2D;
  const images = relu(add(productOfConstant(photos, kernel("image_dense")), variables["image_dense/bias"])); // [rows, units]
  const merged = reshape(add(sentences, images), [steps * rows, units]);
  const kept = masks.merge === undefined ? merged : mul(merged, tensor(masks.merge, merged.shape));
  return affine(relu(affine(kept, "dense")), "word_probabilities") as Tensor2D;
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

/** a · b where the gradient of `a` is not needed. */
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
