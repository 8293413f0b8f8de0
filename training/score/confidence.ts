import type { ConfidenceMap } from "../../shared/confidence-map.ts";

/** A caption's confidence and its scores. */
export interface RatedCaption {
  confidence: number;
  /** Share of its content words that some reference contains. */
  contentPrecision: number;
  cider: number;
}

const tenths = 10;

/** Sorts captions by confidence and averages each tenth, the least confident first. */
export function byTenths(captions: readonly RatedCaption[]): RatedCaption[] {
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
  return { confidence: mean("confidence"), contentPrecision: mean("contentPrecision"), cider: mean("cider") };
}

/**
 * Fits a monotone map from confidence to precision over the captions of several data sets: isotonic regression over the
 * tenths of each, so that large sets count no more than small ones. Neighbours in the wrong order are merged (pool
 * adjacent violators, Ayer et al. 1955). Undefined if there are too few captions.
 */
export function fitConfidenceMap(sets: readonly (readonly RatedCaption[])[]): ConfidenceMap | undefined {
  if (sets.flat().length < 20 * tenths) return undefined;
  const blocks: { raw: number; contentPrecision: number; size: number }[] = [];
  for (const { confidence, contentPrecision } of sets.flatMap(byTenths).toSorted(byConfidence)) {
    let block = { raw: confidence, contentPrecision, size: 1 };
    for (
      let last = blocks.at(-1);
      last !== undefined && last.contentPrecision >= block.contentPrecision;
      last = blocks.at(-1)
    ) {
      blocks.pop();
      const size = last.size + block.size;
      const joined = (of: "raw" | "contentPrecision") => (last[of] * last.size + block[of] * block.size) / size;
      block = { raw: joined("raw"), contentPrecision: joined("contentPrecision"), size };
    }
    blocks.push(block);
  }
  const rounded = (value: number) => Math.round(1e4 * value) / 1e4;
  return blocks.map(({ raw, contentPrecision }) => ({ raw: rounded(raw), calibrated: rounded(contentPrecision) }));
}

/** Computes Spearman's rank correlation of two lists, ties by their mean rank; NaN if either is constant. */
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
