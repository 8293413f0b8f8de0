import { countNgrams, maxOrder, type NgramCounts, totalOf } from "./ngrams.ts";

/** What BLEU needs to know of one photo's references. */
export interface BleuReferences {
  lengths: readonly number[];
  /** For each n-gram, the most that one reference has of it. */
  maxCounts: NgramCounts;
}

/** What one candidate, or the sum of many, adds to BLEU; the arrays by order, from single words to runs of four. */
export interface BleuCounts {
  candidateLength: number;
  referenceLength: number;
  matches: readonly number[];
  guesses: readonly number[];
}

/** pycocoevalcap `bleu/bleu_scorer.py`: they keep a score without matches, or without a candidate, from dividing by zero. */
const small = 1e-9;
const tiny = 1e-15;

/** What a photo's references contribute: how often each n-gram may be matched, and their lengths. */
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

/** Clipped matches of a candidate, and the closest reference length (the shorter of two equally close ones). */
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

/** The counts of a corpus. */
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
 * BLEU-1 to BLEU-4 in [0, 1] (Papineni et al. 2002): geometric mean of the precisions up to that order, times the brevity
 * penalty. Of one photo's counts or of a corpus' sum.
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
