import { maxOrder, type NgramCounts, totalOf } from "./ngrams.ts";

/** Number of photos whose references contain each n-gram. */
export interface DocumentFrequencies {
  photos: number;
  counts: ReadonlyMap<string, number>;
}

/** A caption as tf-idf weights of its n-grams, by order. */
export interface CiderVector {
  weights: readonly ReadonlyMap<string, number>[];
  norms: readonly number[];
  /** Length in bigrams, as pycocoevalcap `cider/cider_scorer.py` measures it. */
  length: number;
}

/** Standard deviation of the length penalty, in words: CIDEr-D's, which the reference implementation's CIDEr uses. */
const sigma = 6;

/** Counts the photos whose references contain each n-gram. `references` has one entry per photo. */
export function countDocuments(references: readonly (readonly NgramCounts[])[]): DocumentFrequencies {
  const counts = new Map<string, number>();
  for (const ofPhoto of references) {
    const distinct = new Set(ofPhoto.flatMap((reference) => reference.flatMap((ngrams) => [...ngrams.keys()])));
    for (const ngram of distinct) counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
  }
  return { photos: references.length, counts };
}

/**
 * Computes tf-idf weights: term frequency times log(photos / photos with the n-gram). An n-gram of no reference counts
 * as one of a single photo.
 */
export function weighNgrams(ngrams: NgramCounts, documents: DocumentFrequencies): CiderVector {
  const logPhotos = Math.log(documents.photos);
  const weights = ngrams.map(
    (counts) =>
      new Map(
        [...counts].map(([ngram, count]) => {
          const frequency = Math.max(1, documents.counts.get(ngram) ?? 0);
          return [ngram, count * (logPhotos - Math.log(frequency))];
        }),
      ),
  );
  const norms = weights.map((ofOrder) => Math.hypot(...ofOrder.values()));
  return { weights, norms, length: totalOf(ngrams, 2) };
}

/**
 * Computes the CIDEr of one candidate in [0, 10] (Vedantam et al. 2015): mean similarity to the references, averaged
 * over the four orders, times ten.
 */
export function ciderOf(candidate: CiderVector, references: readonly CiderVector[]): number {
  const sum = references.reduce((total, reference) => total + similarity(candidate, reference), 0);
  return (10 * sum) / (maxOrder * references.length);
}

/** Sums the clipped cosine over the orders, times a Gaussian of the difference in length. */
function similarity(candidate: CiderVector, reference: CiderVector): number {
  let sum = 0;
  for (const [index, weights] of candidate.weights.entries()) {
    const norms = (candidate.norms[index] ?? 0) * (reference.norms[index] ?? 0);
    if (norms === 0) continue;
    let product = 0;
    for (const [ngram, weight] of weights) {
      const other = reference.weights[index]?.get(ngram) ?? 0;
      product += Math.min(weight, other) * other;
    }
    sum += product / norms;
  }
  return sum * Math.exp(-((candidate.length - reference.length) ** 2) / (2 * sigma ** 2));
}
