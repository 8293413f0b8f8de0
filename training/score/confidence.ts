import type { ConfidenceMap } from "../../shared/confidence-map.ts";

/** A caption's confidence, and how it came out. */
export interface RatedCaption {
  confidence: number;
  /** Share of its content words that some reference has. */
  precision: number;
  cider: number;
}

/** One tenth of the captions, from the least confident. Means over them. */
export type ConfidenceTenth = RatedCaption;

const tenths = 10;

/** Captions in the order of their confidence, a tenth after the other. */
export function byTenths(captions: readonly RatedCaption[]): ConfidenceTenth[] {
  const sorted = captions.toSorted(byConfidence);
  const at = (tenth: number) => Math.round((tenth * sorted.length) / tenths);
  return Array.from({ length: tenths }, (_, tenth) => sorted.slice(at(tenth), at(tenth + 1)))
    .filter((some) => some.length > 0)
    .map(meanOf);
}

function byConfidence(one: RatedCaption, other: RatedCaption): number {
  return one.confidence - other.confidence;
}

function meanOf(captions: readonly RatedCaption[]): RatedCaption {
  const mean = (of: keyof RatedCaption) => captions.reduce((sum, caption) => sum + caption[of], 0) / captions.length;
  return { confidence: mean("confidence"), precision: mean("precision"), cider: mean("cider") };
}

/**
 * A monotone map from confidence to precision over the captions of several data sets, by isotonic regression over the
 * tenths of each, so that large sets count no more than small ones: neighbours that stand the wrong way round are put
 * together (pool adjacent violators, Ayer et al. 1955). Undefined where there are too few captions to tell.
 */
export function fitConfidenceMap(sets: readonly (readonly RatedCaption[])[]): ConfidenceMap | undefined {
  if (sets.flat().length < 20 * tenths) return undefined;
  const blocks: { raw: number; precision: number; size: number }[] = [];
  for (const { confidence, precision } of sets.flatMap(byTenths).toSorted(byConfidence)) {
    let block = { raw: confidence, precision, size: 1 };
    for (let last = blocks.at(-1); last !== undefined && last.precision >= block.precision; last = blocks.at(-1)) {
      blocks.pop();
      const size = last.size + block.size;
      const joined = (of: "raw" | "precision") => (last[of] * last.size + block[of] * block.size) / size;
      block = { raw: joined("raw"), precision: joined("precision"), size };
    }
    blocks.push(block);
  }
  const rounded = (value: number) => Math.round(1e4 * value) / 1e4;
  return blocks.map(({ raw, precision }) => ({ raw: rounded(raw), calibrated: rounded(precision) }));
}

/** Spearman's rank correlation of two lists, ties by their mean rank; NaN where one of them is all the same. */
export function spearman(ones: readonly number[], others: readonly number[]): number {
  return pearson(ranksOf(ones), ranksOf(others));
}

function ranksOf(values: readonly number[]): number[] {
  const order = [...values.keys()].sort((one, other) => (values[one] ?? 0) - (values[other] ?? 0));
  const ranks = new Array<number>(values.length).fill(0);
  for (let first = 0; first < order.length; ) {
    let end = first;
    while (end < order.length && values[order[end] ?? 0] === values[order[first] ?? 0]) end += 1;
    for (const index of order.slice(first, end)) ranks[index] = (first + end - 1) / 2;
    first = end;
  }
  return ranks;
}

function pearson(ones: readonly number[], others: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [middle, otherMiddle] = [mean(ones), mean(others)];
  let [both, own, their] = [0, 0, 0];
  for (const [index, value] of ones.entries()) {
    const [one, other] = [value - middle, (others[index] ?? 0) - otherMiddle];
    both += one * other;
    own += one ** 2;
    their += other ** 2;
  }
  return both / Math.sqrt(own * their);
}
