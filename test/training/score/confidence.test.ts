import { describe, expect, test } from "vitest";
import { confidenceMapSchema, mapConfidence } from "../../../shared/confidence-map.ts";
import { contentWords } from "../../../shared/content-words.ts";
import { randomFor, uniform } from "../../../training/keyed-random.ts";
import { byTenths, fitConfidenceMap, spearman } from "../../../training/score/confidence.ts";
import { contentPrecision, repeatsItself } from "../../../training/score/content-words.ts";

const draws = uniform(randomFor("confidence"), { size: 1000, limit: 0.5 });
const rated = Array.from(draws, (draw, index) => {
  const confidence = draw + 0.5;
  return { confidence, contentPrecision: index / 1000 < confidence ** 2 ? 1 : 0, cider: confidence };
});

describe("confidence by tenths", () => {
  test("has a tenth of the captions each, the least confident first", () => {
    const tenths = byTenths(rated);
    expect(tenths).toHaveLength(10);
    for (const [index, { confidence, cider }] of tenths.entries()) {
      expect(Math.abs(confidence - (index + 0.5) / 10)).toBeLessThan(0.05);
      expect(cider).toBeCloseTo(confidence, 10);
    }
  });

  test("makes do with fewer captions than tenths", () => {
    expect(byTenths(rated.slice(0, 3)).length).toBeGreaterThan(0);
    expect(byTenths(rated.slice(0, 3)).length).toBeLessThanOrEqual(3);
  });
});

describe("a confidence map that was fitted", () => {
  test("says how often the words were right at that confidence", () => {
    const points = fitConfidenceMap([rated]) ?? [];
    expect(confidenceMapSchema.safeParse(points).success).toBe(true);
    for (const raw of [0.2, 0.4, 0.6, 0.8]) expect(Math.abs(mapConfidence(points, raw) - raw ** 2)).toBeLessThan(0.12);
  });

  test("puts neighbours together that stand the wrong way round", () => {
    const wrong = rated.map((caption) => ({ ...caption, contentPrecision: 1 - caption.confidence }));
    expect(fitConfidenceMap([wrong])).toHaveLength(1);
    expect(fitConfidenceMap([wrong])?.[0]?.calibrated).toBeCloseTo(0.5, 1);
  });

  test("counts small data sets as much as large ones", () => {
    const captionsOf = (count: number, contentPrecision: number) =>
      Array.from({ length: count }, (_, index) => ({ confidence: index / count, contentPrecision, cider: 0 }));
    const points = fitConfidenceMap([captionsOf(1000, 0.9), captionsOf(100, 0.5)]) ?? [];
    expect(mapConfidence(points, 0.5)).toBeCloseTo(0.7, 1);
  });

  test("is not fitted to a handful of captions", () => {
    expect(fitConfidenceMap([rated.slice(0, 100)])).toBeUndefined();
  });
});

describe("Spearman's correlation", () => {
  test.each<[string, number[], number[], number]>([
    ["the same order", [1, 2, 3, 10], [2, 3, 5, 6], 1],
    ["the order turned round", [1, 2, 3], [9, 4, 1], -1],
    // ranks 1, 2.5, 2.5, 4, 5 and 2, 1, 3.5, 3.5, 5, whose sums of products are 7.25, 9.5 and 9.5
    ["ties", [1, 2, 2, 3, 5], [3, 1, 4, 4, 6], 7.25 / 9.5],
  ])("of %s", (_, ones, others, expected) => {
    expect(spearman(ones, others)).toBeCloseTo(expected, 10);
  });

  test("is none where all is the same", () => {
    expect(spearman([1, 1], [1, 2])).toBeNaN();
  });
});

describe("content words", () => {
  test("are those that say what a photo shows", () => {
    const caption = "a man in a red shirt is standing on the grass with two dogs".split(" ");
    expect(contentWords(caption)).toEqual(["man", "red", "shirt", "standing", "grass", "two", "dogs"]);
  });

  test("are looked for in all references together", () => {
    const references = [
      ["a", "man", "on", "grass"],
      ["the", "dogs", "run"],
    ];
    expect(contentPrecision(["a", "man", "and", "dogs", "swim"], references)).toBeCloseTo(2 / 3, 10);
    expect(contentPrecision(["on", "the"], references)).toBe(0);
  });

  test.each([
    ["a cat sits on a cat", true],
    ["a man on a bench on a street", false],
    ["a dog and two dogs", false],
    ["the", false],
  ])("are said twice or not: %s", (caption, isRepeated) => {
    expect(repeatsItself(caption.split(" "))).toBe(isRepeated);
  });
});
