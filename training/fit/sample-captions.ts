import { add, dispose, softmax, type Tensor, type Tensor2D, tidy } from "@tensorflow/tfjs-core";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";
import { paddingId } from "../../shared/vocabulary.ts";
import { runLstmStep } from "./lstm.ts";
import { affine, embedWords, logitsOf, type MergeVariables, projectImages } from "./teacher-forcing.ts";

interface SampleSettings {
  /** float32 [rows, featureSize]: one photo per row, repeated if several captions of it are wanted. */
  features: Float32Array;
  rows: number;
  startId: number;
  endId: number;
  maxWords: number;
  random: RandomGenerator;
}

/**
 * Samples one caption per row, each word by its probability, except padding and start. Returns word ids with the start, and
 * with the end if the caption ended before `maxWords`.
 */
export function sampleCaptions(variables: MergeVariables, settings: SampleSettings): number[][] {
  const { features, rows, startId, endId, maxWords, random } = settings;
  const captions = Array.from({ length: rows }, () => [startId]);
  const images = tidy(() => projectImages(variables, { features, rows }));
  let before: { hidden: Tensor2D; cell: Tensor2D } | undefined;
  try {
    while (captions.some((caption) => isOpen(caption, { endId, maxWords }))) {
      const last = Int32Array.from(captions, (caption) => caption.at(-1) ?? startId);
      const { probabilities, ...next } = tidy(() => {
        const vectors = embedWords(variables, last);
        const recurrent = variables["lstm/recurrent_kernel"] as Tensor as Tensor2D;
        const { hidden, cell } = runLstmStep(affine(variables, "lstm", vectors), { recurrent, before });
        return { hidden, cell, probabilities: softmax(logitsOf(variables, add(hidden, images))) };
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

/** Samples an index by these probabilities, except those in `never`. */
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
