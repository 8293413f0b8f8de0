import { describe, expect, test } from "vitest";
import { formResult, toSentence } from "../../shared/caption-form.ts";
import type { Candidate, CaptionResult } from "../../shared/contract.ts";

function candidate(caption: string, confidence: number): Candidate {
  const words = caption.split(" ").map((word) => ({ word, probability: 0.5 }));
  const logProb = (words.length + 1) * Math.log(0.5);
  return { caption, confidence, logProb, words: [...words, { word: "endseq", probability: 0.5, end: true }] };
}

function resultOf(...captions: string[]): CaptionResult {
  const candidates = captions.map((caption, index) => candidate(caption, 0.6 - index / 10));
  return {
    id: `sha256:${"0".repeat(64)}`,
    caption: captions[0] ?? "",
    confidence: 0.6,
    candidates,
    image: { format: "jpeg", width: 1, height: 1, bytes: 1 },
    model: { id: "made", revision: "0123456789ab" },
    options: { beam: 3, candidates: captions.length },
  };
}

describe("formResult", () => {
  test("leaves a result to the letter where no form was asked for", () => {
    const result = resultOf("a man runs", "a woman runs");
    expect(JSON.stringify(formResult(result, result.options))).toBe(JSON.stringify(result));
  });

  test("takes as many candidates as were asked for", () => {
    const options = { beam: 3, candidates: 1, maxWords: 8 };
    const { candidates, options: told } = formResult(resultOf("a man runs", "a dog runs"), options);
    expect(candidates.map(({ caption }) => caption)).toEqual(["a man runs"]);
    expect(told).toEqual(options);
  });

  test("writes every candidate as a sentence, and leaves its words as the model has them", () => {
    const result = resultOf("a man runs", "a dog runs");
    const formed = formResult(result, { ...result.options, style: "sentence" });
    expect(formed.caption).toBe("A man runs.");
    expect(formed.candidates.map(({ caption }) => caption)).toEqual(["A man runs.", "A dog runs."]);
    expect(formed.candidates.map(({ words }) => words)).toEqual(result.candidates.map(({ words }) => words));
  });

  test("makes every candidate neutral, those that become equal once, with probabilities that multiply to the same", () => {
    const result = resultOf("a man and a woman with his dog", "two people with their dog", "a male athlete runs");
    const { caption, candidates } = formResult(result, { ...result.options, neutral: true });
    expect(caption).toBe("two people with their dog");
    expect(candidates.map((one) => one.caption)).toEqual(["two people with their dog", "an athlete runs"]);
    for (const { words, logProb } of candidates) {
      const product = words.reduce((share, { probability }) => share * probability, 1);
      expect(Math.log(product)).toBeCloseTo(logProb, 4);
      expect(words.at(-1)?.end).toBe(true);
    }
    expect(candidates[0]?.words.map(({ word }) => word).slice(0, 2)).toEqual(["two", "people"]);
  });

  test("finds keywords in the neutral words, not in the sentence", () => {
    const result = resultOf("men ride bikes");
    const { keywords } = formResult(result, { ...result.options, neutral: true, style: "sentence", keywords: true });
    expect(keywords?.map(({ keyword }) => keyword)).toEqual(["person", "ride", "bike"]);
  });
});

describe("toSentence", () => {
  test.each([
    ["a dog runs", "A dog runs."],
    ["a dog runs.", "A dog runs."],
    ["élan dans la neige", "Élan dans la neige."],
    ["собака бежит по снегу", "Собака бежит по снегу."],
    ["一只狗在草地上", "一只狗在草地上。"],
    ["犬が走っています", "犬が走っています。"],
    ["개가 달린다", "개가 달린다."],
    ["एक कुत्ता दौड़ रहा है", "एक कुत्ता दौड़ रहा है।"],
    ["หมาวิ่งบนหญ้า", "หมาวิ่งบนหญ้า"],
    ["كلب يركض", "كلب يركض."],
    ["ایک کتا دوڑ رہا ہے", "ایک کتا دوڑ رہا ہے۔"],
    ["ძაღლი გარბის", "ძაღლი გარბის."],
    ["შ", "შ."],
    ["", ""],
  ])("%s: %s", (caption, sentence) => {
    expect(toSentence(caption)).toBe(sentence);
  });
});
