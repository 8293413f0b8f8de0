import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rougeLOf } from "../../../training/score/rouge-l.ts";

const caption = fc.array(fc.constantFrom("a", "dog", "cat", "runs", "sits"), { maxLength: 8 });

describe("ROUGE-L", () => {
  test("is 1 for a perfect match and 0 without a common word", () => {
    expect(rougeLOf(["a", "dog"], [["a", "dog"]])).toBeCloseTo(1, 12);
    expect(rougeLOf(["a", "dog"], [["two", "cats"]])).toBe(0);
  });

  test("weighs recall over precision: subsequence of 3 in 4 words against 6", () => {
    const candidate = ["a", "dog", "x", "runs"];
    const reference = ["a", "big", "dog", "now", "runs", "fast"];
    const precision = 3 / 4;
    const recall = 3 / 6;
    const expected = (2.44 * precision * recall) / (recall + 1.44 * precision);
    expect(rougeLOf(candidate, [reference])).toBeCloseTo(expected, 12);
  });

  test("takes precision and recall from different references", () => {
    const candidate = ["a", "dog", "runs"];
    const precise = ["so", "a", "dog", "runs", "on", "and", "on"]; // precision 1, recall 3/7
    const short = ["dog"]; // precision 1/3, recall 1
    expect(rougeLOf(candidate, [precise, short])).toBeCloseTo(1, 12);
  });

  test("counts a subsequence in order only", () => {
    expect(rougeLOf(["c", "b", "a"], [["a", "b", "c"]])).toBeCloseTo(1 / 3, 12);
  });

  test("of an empty candidate is 0, and 1 against an empty reference, as the public scorer has it", () => {
    expect(rougeLOf([], [["a", "dog"]])).toBe(0);
    expect(rougeLOf([], [["a", "dog"], []])).toBe(1);
  });

  test("never falls when a reference is added", () => {
    fc.assert(
      fc.property(
        caption,
        fc.array(caption, { minLength: 1, maxLength: 4 }),
        caption,
        (candidate, references, more) => {
          const before = rougeLOf(candidate, references);
          expect(rougeLOf(candidate, [...references, more])).toBeGreaterThanOrEqual(before - 1e-12);
        },
      ),
    );
  });

  test("lies in [0, 1] and is 1 for one of the references", () => {
    fc.assert(
      fc.property(caption, fc.array(caption, { minLength: 1, maxLength: 4 }), (candidate, references) => {
        const score = rougeLOf(candidate, references);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(1 + 1e-12);
        expect(rougeLOf(candidate, [...references, candidate])).toBeCloseTo(1, 12);
      }),
    );
  });
});
