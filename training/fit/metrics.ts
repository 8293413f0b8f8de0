import * as z from "zod";
import type { SearchName } from "../score/score-captions.ts";
import { captionScoresSchema } from "../score/score-captions.ts";

/** A line of `metrics.jsonl`: an epoch. */
export const epochMetricsSchema = z.strictObject({
  /** From 1. */
  epoch: z.int().positive(),
  /** Cross-entropy, mean over the batches of the mean over their words, dropout and label smoothing included; none of a self-critical epoch. */
  loss: z.number().optional(),
  /** Of a self-critical epoch: mean CIDEr of the captions that were drawn, as a fraction. */
  reward: z.number().optional(),
  /** Of the epoch's last step. */
  learningRate: z.number(),
  /** Learning, without scoring. */
  seconds: z.number(),
  /** As fractions, by search, `greedy` and `beam 3`; none where there are no dev photos. */
  dev: z.record(z.string(), captionScoresSchema),
  /** The same of each data set, where there are several; `dev` is then their mean. */
  devSets: z.record(z.string(), z.record(z.string(), captionScoresSchema)).optional(),
  /** What it says of the first dev photos, with beam 3. */
  samples: z.array(z.strictObject({ photo: z.string(), caption: z.string() })),
});

export type EpochMetrics = z.infer<typeof epochMetricsSchema>;

/** What dev is captioned with after each epoch. */
export const epochSearches = ["greedy", "beam 3"] as const satisfies SearchName[];

/** Which search's CIDEr on dev chooses among epochs: the service's default. */
const choosingSearch = "beam 3" satisfies SearchName;

/** The dev score by which epochs are chosen. Without dev photos all are alike, and the last one is the best. */
export function choosingScore({ dev }: EpochMetrics): number {
  return dev[choosingSearch]?.cider ?? 0;
}

/** An epoch, of how many if none is too many, and whether it is the best so far. */
export interface EpochDone {
  metrics: EpochMetrics;
  epochs: number;
  isBest: boolean;
}

/** Like `epoch 3 of 24: loss 3.214, dev CIDEr 43.1 greedy, 46.2 beam 3 (best so far)`, and what it says of a few photos. */
export function describeEpoch({ metrics, epochs, isBest }: EpochDone): string {
  const { epoch, loss, reward, dev, devSets = {}, samples } = metrics;
  const learnt = loss === undefined ? `reward ${reward?.toFixed(3)}` : `loss ${loss.toFixed(3)}`;
  const describeCider = (found: EpochMetrics["dev"]) =>
    Object.entries(found)
      .map(([search, { cider }]) => `${(100 * cider).toFixed(1)} ${search}`)
      .join(", ");
  const sets = Object.entries(devSets).map(([name, found]) => `${name} ${describeCider(found)}`);
  const ofSets = sets.length === 0 ? "" : ` (${sets.join("; ")})`;
  const scored =
    Object.keys(dev).length === 0 ? "" : `, dev CIDEr ${describeCider(dev)}${ofSets}${isBest ? " (best so far)" : ""}`;
  const lines = samples.map(({ photo, caption }) => `  ${photo}: ${caption}\n`);
  return `epoch ${epoch} of ${epochs}: ${learnt}${scored}\n${lines.join("")}`;
}
