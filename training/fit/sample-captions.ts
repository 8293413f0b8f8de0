import {
  add,
  dispose,
  gather,
  matMul,
  relu,
  softmax,
  type Tensor,
  type Tensor2D,
  tensor,
  tensor1d,
  tidy,
} from "@tensorflow/tfjs-core";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";
import { paddingId } from "../../shared/vocabulary.ts";
import { runStep } from "./lstm.ts";
import type { MergeVariables } from "./teacher-forcing.ts";

interface SampleSettings {
  /** float32 [rows, featureSize]: one photo per row, repeated where several captions of it are wanted. */
  features: Float32Array;
  rows: number;
  startId: number;
  endId: number;
  maxWords: number;
  random: RandomGenerator;
}

/**
 * Draws one caption per row, each word by its probability; padding and start are never drawn. Returns word ids with the
 * start word, and with the end word where the caption ended by itself.
 */
export function sampleCaptions(variables: MergeVariables, settings: SampleSettings): number[][] {
  const { features, rows, startId, endId, maxWords, random } = settings;
  const kernel = (layer: string) => variables[`${layer}/kernel` as "dense/kernel"] as Tensor as Tensor2D;
  const affine = (values: Tensor, layer: "image_dense" | "lstm" | "dense" | "word_probabilities") =>
    add(matMul(values as Tensor2D, kernel(layer)), variables[`${layer}/bias`]) as Tensor2D;
  const captions = Array.from({ length: rows }, () => [startId]);
  const images = tidy(() => relu(affine(tensor(features, [rows, features.length / rows]), "image_dense")));
  let before: { hidden: Tensor2D; cell: Tensor2D } | undefined;
  try {
    while (captions.some((caption) => isOpen(caption, { endId, maxWords }))) {
      const last = Int32Array.from(captions, (caption) => caption.at(-1) ?? startId);
      const { probabilities, ...next } = tidy(() => {
        const vectors = gather(variables["embedding/embeddings"] as Tensor as Tensor2D, tensor1d(last, "int32"));
        const recurrent = variables["lstm/recurrent_kernel"] as Tensor as Tensor2D;
        const { hidden, cell } = runStep(affine(vectors, "lstm"), { recurrent, before });
        const logits = affine(relu(affine(add(hidden, images), "dense")), "word_probabilities");
        return { hidden, cell, probabilities: softmax(logits) };
      });
      dispose(before ?? {});
      before = next;
      const table = probabilities.dataSync<"float32">();
      probabilities.dispose();
      for (const [row, caption] of captions.entries()) {
        const drawn = draw(table.subarray((row * table.length) / rows, ((row + 1) * table.length) / rows), {
          never: [paddingId, startId],
          random,
        });
        if (isOpen(caption, { endId, maxWords })) caption.push(drawn);
      }
    }
    return captions;
  } finally {
    dispose([images, before ?? {}]);
  }
}

function isOpen(caption: readonly number[], { endId, maxWords }: { endId: number; maxWords: number }): boolean {
  return caption.at(-1) !== endId && caption.length <= maxWords;
}

/** Draws an index by these probabilities, never one of `never`. */
function draw(
  probabilities: Float32Array,
  { never, random }: { never: readonly number[]; random: RandomGenerator },
): number {
  let left = 0;
  for (const id of never) left -= probabilities[id] ?? 0;
  for (let id = 0; id < probabilities.length; id++) left += probabilities[id] ?? 0;
  left *= uniformFloat64(random);
  let last = 0;
  for (let id = 0; id < probabilities.length; id++) {
    if (never.includes(id)) continue;
    last = id;
    left -= probabilities[id] ?? 0;
    if (left < 0) break;
  }
  return last;
}
