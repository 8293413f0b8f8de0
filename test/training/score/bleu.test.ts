import { describe, expect, test } from "vitest";
import { bleuOf, countMatches, prepareBleu, sumCounts } from "../../../training/score/bleu.ts";
import { countNgrams } from "../../../training/score/ngrams.ts";

function countsOf(candidate: string, ...references: string[]) {
  return countMatches(countNgrams(wordsOf(candidate)), prepareBleu(references.map(wordsOf)));
}

function wordsOf(text: string): string[] {
  return text.split(" ").filter((word) => word !== "");
}

describe("BLEU", () => {
  test("is 1 for a perfect match", () => {
    for (const bleu of bleuOf(countsOf("a dog runs fast", "a dog runs fast"))) expect(bleu).toBeCloseTo(1, 8);
  });

  test("is almost 0 without a common word, and without a candidate", () => {
    for (const bleu of bleuOf(countsOf("one two three four", "five six seven eight"))) expect(bleu).toBeLessThan(1e-3);
    for (const bleu of bleuOf(countsOf("", "a dog runs"))) expect(bleu).toBe(0);
  });

  test("clips a repeated word at the most that one reference has (Papineni's example)", () => {
    const { matches, guesses } = countsOf(
      "the the the the the the the",
      "the cat is on the mat",
      "there is a cat on the mat",
    );
    expect(matches).toEqual([2, 0, 0, 0]);
    expect(guesses).toEqual([7, 6, 5, 4]);
  });

  test("multiplies with exp(1 - reference / candidate) when the candidate is shorter", () => {
    const [bleu1, bleu2] = bleuOf(countsOf("a dog", "a dog runs fast"));
    expect(bleu1).toBeCloseTo(Math.exp(1 - 4 / 2), 6);
    expect(bleu2).toBeCloseTo(Math.exp(1 - 4 / 2), 6);
  });

  test("is the geometric mean of precisions: 3 of 4 words, 1 of 3 pairs", () => {
    const [bleu1, bleu2] = bleuOf(countsOf("a dog sits here", "a dog runs here"));
    expect(bleu1).toBeCloseTo(3 / 4, 6);
    expect(bleu2).toBeCloseTo(Math.sqrt((3 / 4) * (1 / 3)), 6);
  });

  test("compares with the closest reference length, of two equally close ones the shorter", () => {
    expect(countsOf("a b c", "a", "a b c d", "a b c d e f").referenceLength).toBe(4);
    expect(countsOf("a b c", "a b c d", "a b").referenceLength).toBe(2);
  });

  test("of a corpus is that of the summed counts, not the mean of the photos'", () => {
    const sum = sumCounts([countsOf("a dog", "a dog"), countsOf("a b c d e f", "x y z x y z")]);
    expect(sum).toEqual({ candidateLength: 8, referenceLength: 8, matches: [2, 1, 0, 0], guesses: [8, 6, 4, 3] });
    expect(bleuOf(sum)[0]).toBeCloseTo(2 / 8, 6);
  });
});
