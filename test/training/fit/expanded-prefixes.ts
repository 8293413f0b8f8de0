import "@tensorflow/tfjs-backend-cpu";
import {
  add,
  log,
  mean,
  mul,
  neg,
  oneHot,
  type Scalar,
  setBackend,
  sum,
  type Tensor,
  tensor2d,
  variableGrads,
} from "@tensorflow/tfjs-core";
import { layOut } from "../../../training/fit/batches.ts";
import { type MergeValues, mergeModel, type WeightName, weightNames } from "../../../training/fit/merge-model.ts";
import { teacherForcingLoss } from "../../../training/fit/teacher-forcing.ts";
import { tinySpec, variablesOf } from "./tiny-merge-model.ts";

export interface LossAndGradients {
  loss: number;
  gradients: Record<WeightName, Float32Array>;
}

const captions = [
  { photo: 0, ids: [1, 4, 5, 6, 2] },
  { photo: 1, ids: [1, 7, 2] },
  { photo: 0, ids: [1, 3, 4, 4, 9, 10, 2] },
  { photo: 2, ids: [1, 2] }, // of which cleaning left nothing
];
const photos = [0, 1, 2].map((photo) =>
  Array.from({ length: tinySpec.featureSize }, (_, index) => Math.abs(Math.sin(7 * photo + index))),
);

/** A photo and a padded prefix for every word, as the tutorial's generator makes them, through TensorFlow.js' own layers. */
export async function expandedPrefixes(values: MergeValues, labelSmoothing: number): Promise<LossAndGradients> {
  await setBackend("cpu");
  const network = mergeModel(tinySpec, values);
  const { maxCaptionLength, vocabularySize } = tinySpec;
  const prefixes = captions.flatMap(({ photo, ids }) =>
    ids.slice(1).map((next, index) => ({ photo, prefix: ids.slice(0, index + 1), next })),
  );
  const padded = prefixes.map(({ prefix }) => [...new Array(maxCaptionLength - prefix.length).fill(0), ...prefix]);
  const { value, grads } = variableGrads(() => {
    const features = tensor2d(prefixes.map(({ photo }) => photos[photo] ?? []));
    const probabilities = network.apply([features, tensor2d(padded)]) as Tensor; // one output
    const next = prefixes.map((prefix) => prefix.next);
    const wanted = oneHot(next, vocabularySize, 1, 0, "float32");
    const targets = add(mul(wanted, 1 - labelSmoothing), labelSmoothing / vocabularySize);
    return neg(mean(sum(mul(targets, log(probabilities)), 1))) as Scalar;
  });
  const gradientOf = (name: WeightName) =>
    grads[network.weights.find(({ originalName }) => originalName === name)?.name ?? ""];
  return read(value, gradientOf);
}

/** By TensorFlow.js' own layers: float32 [vocabularySize]. */
export function nextWordProbabilities(
  values: MergeValues,
  { features, prefix }: { features: Float32Array; prefix: readonly number[] },
): Float32Array {
  const padded = [...new Array(tinySpec.maxCaptionLength - prefix.length).fill(0), ...prefix];
  const network = mergeModel(tinySpec, values);
  const next = network.predict([tensor2d(features, [1, features.length]), tensor2d([padded])]) as Tensor; // one output
  return next.dataSync<"float32">();
}

/** The same captions whole, by our own loss on this backend. */
export async function teacherForcing(
  values: MergeValues,
  { backend, labelSmoothing }: { backend: string; labelSmoothing: number },
): Promise<LossAndGradients> {
  await setBackend(backend);
  const variables = variablesOf(values);
  const features = Float32Array.from(captions.flatMap(({ photo }) => photos[photo] ?? []));
  const { value, grads } = variableGrads(
    () => teacherForcingLoss(variables, { ...layOut(captions), features }, { labelSmoothing }),
    Object.values(variables),
  );
  return read(value, (name) => grads[variables[name].name]);
}

async function read(loss: Tensor, gradientOf: (name: WeightName) => Tensor | undefined): Promise<LossAndGradients> {
  const gradients = weightNames.map((name) => [name, gradientOf(name)?.dataSync<"float32">()]);
  return { loss: loss.dataSync()[0] ?? Number.NaN, gradients: Object.fromEntries(gradients) };
}
