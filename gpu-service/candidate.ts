import type { Candidate } from "../shared/contract.ts";
import { endWord, type Vocabulary } from "../shared/vocabulary.ts";
import type { FoundCaption } from "./beam-search.ts";

/**
 * A found caption in the contract's words. Its confidence is the geometric mean of its words' probabilities, end
 * included: exp(logProb / (words + 1)).
 */
export function toCandidate({ words, wordLogProbs, logProb }: FoundCaption, vocabulary: Vocabulary): Candidate {
  return {
    caption: vocabulary.decode(words),
    confidence: shorten(Math.exp(logProb / (words.length + 1))),
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

/** Six digits: what lies behind them is float32's noise. */
function shorten(value: number): number {
  return Number(value.toPrecision(6));
}
