import { type ConfidenceMap, mapConfidence } from "../shared/confidence-map.ts";
import type { Candidate } from "../shared/contract.ts";
import { endWord, type Vocabulary } from "../shared/vocabulary.ts";
import type { FoundCaption } from "./beam-search.ts";

/**
 * The geometric mean of the probabilities of a caption's words and its end, each raised or lowered by its evidence:
 * exp((logProb + evidence) / (words + 1)). Above 1 if the word detectors are surer of the words than the decoder.
 */
export function rawConfidence({ words, logProb, evidence }: FoundCaption): number {
  return Math.exp((logProb + evidence) / (words.length + 1));
}

/** Converts a found caption to the contract's form. Its confidence is the raw one, mapped through the model's confidence map. */
export function toCandidate(
  found: FoundCaption,
  { vocabulary, confidenceMap }: { vocabulary: Vocabulary; confidenceMap: ConfidenceMap | undefined },
): Candidate {
  const { words, wordLogProbs, logProb } = found;
  const confidence = rawConfidence(found);
  return {
    caption: vocabulary.decode(words),
    confidence: shorten(
      confidenceMap === undefined ? Math.min(1, confidence) : mapConfidence(confidenceMap, confidence),
    ),
    logProb: shorten(logProb),
    words: wordLogProbs.map((wordLogProb, index) => {
      const probability = shorten(Math.exp(wordLogProb));
      const id = words[index];
      return id === undefined
        ? { word: endWord, probability, end: true }
        : { word: vocabulary.decode([id]), probability };
    }),
  };
}

/** Rounds to six digits, the precision of float32. */
function shorten(value: number): number {
  return Number(value.toPrecision(6));
}
