import { type Tensor, tensor, variable } from "@tensorflow/tfjs-core";
import {
  initialValues,
  type MergeSpec,
  type MergeValues,
  weightNames,
  weightShapes,
} from "../../../training/fit/merge-model.ts";
import type { MergeVariables } from "../../../training/fit/teacher-forcing.ts";

/** Small enough to work its gradients out in a moment. */
export const tinySpec: MergeSpec = {
  featureSize: 8,
  vocabularySize: 12,
  embeddingSize: 5,
  units: 6,
  maxCaptionLength: 7,
  dropout: { image: 0, words: 0, merge: 0 },
};

/** Values as they are drawn, their vectors larger so that every weight has a gradient to speak of. */
export function tinyValues(seed = 1): MergeValues {
  const values = initialValues(tinySpec, seed);
  return { ...values, "embedding/embeddings": values["embedding/embeddings"].map((value) => 20 * value) };
}

export function variablesOf(values: MergeValues, spec: MergeSpec = tinySpec): MergeVariables {
  const shapes = weightShapes(spec);
  return Object.fromEntries(
    weightNames.map((name) => [name, variable(tensor(values[name], [...shapes[name]]) as Tensor)]),
  ) as MergeVariables; // an entry a name
}
