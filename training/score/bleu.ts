import { countNgrams, maxOrder, type NgramCounts, totalOf } from "./ngrams.ts";

/** The references of one photo, as BLEU needs them. */
export interface BleuReferences {
  lengths: readonly number[];
  /** Highest count of each n-gram in any one reference. */
  maxCounts: NgramCounts;
}

/**
 * What one candidate, or the sum of many, contributes to BLEU; arrays are by order, from single words to four words.
 */
export interface BleuCounts {
  candidateLength: number;
  referenceLength: number;
  matches: readonly number[];
  guesses: readonly number[];
}

/**
 * Smoothing constants of pycocoevalcap `bleu/bleu_scorer.py`, which prevent division by zero without matches or without
 * a candidate.
 */
const small = 1e-9;
const tiny = 1e-15;

/** Prepares a photo's references: how often each n-gram may be matched, and their lengths. */
export function prepareBleu(references: readonly (readonly string[])[]): BleuReferences {
  const counts = references.map(countNgrams);
  const maxCounts = Array.from({ length: maxOrder }, (_, index) => {
    const most = new Map<string, number>();
    for (const ofOne of counts) {
      for (const [ngram, count] of ofOne[index] ?? []) most.set(ngram, Math.max(count, most.get(ngram) ?? 0));
    }
    return most;
  });
  return { lengths: references.map(({ length }) => length), maxCounts };
}

/**
 * Counts the clipped matches of a candidate, and finds the closest reference length (the shorter of two equally close).
 */
export function countMatches(candidate: NgramCounts, references: BleuReferences): BleuCounts {
  const candidateLength = totalOf(candidate, 1);
  const distance = (length: number) => Math.abs(length - candidateLength);
  const [referenceLength = 0] = references.lengths.toSorted((a, b) => distance(a) - distance(b) || a - b);
  const matches = candidate.map((counts, index) => {
    let clipped = 0;
    for (const [ngram, count] of counts) clipped += Math.min(count, references.maxCounts[index]?.get(ngram) ?? 0);
    return clipped;
  });
  return {
    candidateLength,
    referenceLength,
    matches,
    guesses: candidate.map((_, index) => totalOf(candidate, index + 1)),
  };
}

/** Sums the counts of a corpus. */
export function sumCounts(parts: readonly BleuCounts[]): BleuCounts {
  const sumOf = (numberOf: (part: BleuCounts) => number) => parts.reduce((sum, part) => sum + numberOf(part), 0);
  const perOrder = (key: "matches" | "guesses") =>
    Array.from({ length: maxOrder }, (_, index) => sumOf((part) => part[key][index] ?? 0));
  return {
    candidateLength: sumOf((part) => part.candidateLength),
    referenceLength: sumOf((part) => part.referenceLength),
    matches: perOrder("matches"),
    guesses: perOrder("guesses"),
  };
}

/**
 * Computes BLEU-1 to BLEU-4 in [0, 1] (Papineni et al. 2002) from the counts of a photo or a corpus: the geometric mean
 * of the precisions up to that order, times the brevity penalty.
 */
export function bleuOf({ candidateLength, referenceLength, matches, guesses }: BleuCounts): number[] {
  const ratio = (candidateLength + tiny) / (referenceLength + small);
  const brevityPenalty = ratio < 1 ? Math.exp(1 - 1 / ratio) : 1;
  let product = 1;
  return matches.map((matched, index) => {
    product *= (matched + tiny) / ((guesses[index] ?? 0) + small);
    return product ** (1 / (index + 1)) * brevityPenalty;
  });
}
