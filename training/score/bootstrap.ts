import { uniformInt } from "pure-rand/distribution/uniformInt";
import { randomFor } from "../keyed-random.ts";
import { type CaptionScores, joinScores, type PhotoScores } from "./score-captions.ts";

/** An interval from the 2.5th to the 97.5th percentile. */
export type Interval = [low: number, high: number];

const resamples = 1000;
const share = 0.95;

/**
 * Computes 95 % intervals of a corpus' scores from a thousand resamples of its photos, drawn with replacement (Efron
 * 1979). The references' document frequencies stay those of the whole corpus. Deterministic.
 */
export function bootstrapIntervals(photos: readonly PhotoScores[]): Record<keyof CaptionScores, Interval> {
  const random = randomFor("bootstrap", photos.length);
  const drawn = Array.from({ length: resamples }, () =>
    joinScores(photos.map((photo) => photos[uniformInt(random, 0, photos.length - 1)] ?? photo)),
  );
  const intervalOf = (score: keyof CaptionScores): Interval => {
    const values = drawn.map((scores) => scores[score]).sort((one, other) => one - other);
    const at = (quantile: number) => values[Math.round(quantile * (resamples - 1))] ?? Number.NaN;
    return [at((1 - share) / 2), at((1 + share) / 2)];
  };
  return {
    bleu1: intervalOf("bleu1"),
    bleu2: intervalOf("bleu2"),
    bleu3: intervalOf("bleu3"),
    bleu4: intervalOf("bleu4"),
    rougeL: intervalOf("rougeL"),
    cider: intervalOf("cider"),
  };
}
