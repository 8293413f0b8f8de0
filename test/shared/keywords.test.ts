import { describe, expect, test } from "vitest";
import { keywordsOf } from "../../shared/keywords.ts";

function candidate(confidence: number, caption: string, probability: number) {
  const words = caption.split(" ").map((word) => ({ word, probability }));
  return { confidence, words: [...words, { word: "endseq", probability: 1, end: true as const }] };
}

describe("keywordsOf", () => {
  test("gives the content words of all candidates by their lemma, most confident first", () => {
    const keywords = keywordsOf([
      candidate(0.64, "two dogs are running on the beach", 0.25),
      candidate(0.49, "a dog runs in front of something", 1),
    ]);
    expect(keywords).toEqual([
      { keyword: "dog", confidence: 0.7 },
      { keyword: "run", confidence: 0.7 },
      { keyword: "beach", confidence: 0.4 },
    ]);
  });

  test("gives none for scripts whose content words are not known", () => {
    expect(keywordsOf([candidate(0.5, "一只 狗 在 草地 上", 0.5)])).toEqual([]);
  });
});
