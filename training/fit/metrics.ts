import * as z from "zod";
import type { SearchName } from "../score/score-captions.ts";
import { captionScoresSchema } from "../score/score-captions.ts";

/** A line of `metrics.jsonl`: one epoch. */
export const epochMetricsSchema = z.strictObject({
  /** Number of the epoch, from 1. */
  epoch: z.int().positive(),
  /**
   * Cross-entropy per word, averaged over the batches, dropout and label smoothing included; absent in a self-critical
   * epoch.
   */
  loss: z.number().optional(),
  /** Mean CIDEr of the captions drawn in a self-critical epoch, as a fraction. */
  reward: z.number().optional(),
  /** Learning rate of the epoch's last step. */
  learningRate: z.number(),
  /** Duration of learning, without scoring. */
  seconds: z.number(),
  /** Scores as fractions, by search, `greedy` and `beam 3`; empty if there are no dev photos. */
  dev: z.record(z.string(), captionScoresSchema),
  /** Scores of each data set, if there are several; `dev` is then their mean. */
  devSets: z.record(z.string(), z.record(z.string(), captionScoresSchema)).optional(),
  /** Captions of the first dev photos, with beam 3. */
  samples: z.array(z.strictObject({ photo: z.string(), caption: z.string() })),
});

export type EpochMetrics = z.infer<typeof epochMetricsSchema>;

/** Searches with which dev photos are captioned after each epoch. */
export const epochSearches = ["greedy", "beam 3"] as const satisfies SearchName[];

/** The search whose CIDEr on dev chooses among epochs: the service's default. */
const choosingSearch = "beam 3" satisfies SearchName;

/**
 * Returns the dev score that epochs are chosen by. Without dev photos all are equal, and the last one counts as the
 * best.
 */
export function choosingScore({ dev }: EpochMetrics): number {
  return dev[choosingSearch]?.cider ?? 0;
}

/** A finished epoch, the maximum number of epochs, and whether it is the best so far. */
export interface EpochDone {
  metrics: EpochMetrics;
  epochs: number;
  isBest: boolean;
}

/**
 * Formats an epoch, like `epoch 3 of 24: loss 3.214, dev CIDEr 43.1 greedy, 46.2 beam 3 (best so far)`, followed by
 * captions of a few photos.
 */
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
