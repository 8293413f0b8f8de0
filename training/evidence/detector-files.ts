import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { decodeSafetensors, encodeSafetensors } from "../fit/safetensors.ts";
import type { StageOutputs } from "../stage-record.ts";
import type { Dense } from "./evidence-network.ts";

export const detectorFiles = {
  /** float32 kernel [featureSize, concepts] and bias [concepts], for features as they are. */
  weights: "detectors.safetensors",
  /** `conceptSchema`, one per line, in the order of the detectors. */
  concepts: "concepts.jsonl",
} as const;

const conceptSchema = z.strictObject({
  /** Word in the singular that names it. */
  concept: z.string(),
  /**
   * The mean probability that its detector gives to the photos that show it: near 1 where it can be seen in the features,
   * near its frequency where it cannot.
   */
  recall: z.number(),
  /** Whether its detector, or the labeller that taught it, is sure enough for absence to count as much as presence. */
  isReliable: z.boolean(),
});

/** Linear detectors, one per concept: the logit of its probability is kernel · features + bias. */
export interface Detectors extends Dense {
  concepts: readonly z.infer<typeof conceptSchema>[];
}

/** The outputs of the stage `evidence`. */
export function encodeDetectors({ concepts, kernel, bias }: Detectors): StageOutputs {
  const featureSize = kernel.length / Math.max(1, concepts.length);
  const values = new Map([
    ["kernel", { shape: [featureSize, concepts.length], data: kernel }],
    ["bias", { shape: [concepts.length], data: bias }],
  ]);
  return {
    files: {
      [detectorFiles.weights]: encodeSafetensors({ values, metadata: {} }),
      [detectorFiles.concepts]: concepts.map((concept) => `${JSON.stringify(concept)}\n`),
    },
  };
}

/** Reads the detectors of a folder; undefined where they detect nothing. */
export async function readDetectors(folder: string): Promise<Detectors | undefined> {
  const lines = (await readFile(join(folder, detectorFiles.concepts), "utf8")).split("\n").slice(0, -1);
  if (lines.length === 0) return undefined;
  const { values } = decodeSafetensors(await readFile(join(folder, detectorFiles.weights)));
  const read = (name: string) => values.get(name)?.data ?? new Float32Array();
  const concepts = lines.map((line) => conceptSchema.parse(JSON.parse(line)));
  return { concepts, kernel: read("kernel"), bias: read("bias") };
}
