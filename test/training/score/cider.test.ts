import { describe, expect, test } from "vitest";
import { ciderOf, countDocuments, weighNgrams } from "../../../training/score/cider.ts";
import { countNgrams } from "../../../training/score/ngrams.ts";

function ngramsOf(text: string) {
  return countNgrams(text.split(" "));
}

/** Four photos; "a" stands in all of them, "dog" in two. */
const references = [["a dog runs on sand", "a brown dog"], ["a dog sits"], ["a red car"], ["a tall house"]];
const documents = countDocuments(references.map((captions) => captions.map(ngramsOf)));

function ciderOfTexts(candidate: string, ...texts: string[]): number {
  return ciderOf(
    weighNgrams(ngramsOf(candidate), documents),
    texts.map((text) => weighNgrams(ngramsOf(text), documents)),
  );
}

describe("CIDEr", () => {
  test("counts photos, not captions, that hold an n-gram", () => {
    expect(documents.photos).toBe(4);
    expect(documents.counts.get("a")).toBe(4);
    expect(documents.counts.get("dog")).toBe(2);
    expect(documents.counts.get("a dog")).toBe(2);
  });

  test("weighs a word by how often it stands in the caption and how rare it is", () => {
    const [words] = weighNgrams(ngramsOf("a dog dog car zebra"), documents).weights;
    expect(words?.get("a")).toBe(0);
    expect(words?.get("dog")).toBeCloseTo(2 * Math.log(4 / 2), 12);
    expect(words?.get("car")).toBeCloseTo(Math.log(4), 12);
    expect(words?.get("zebra")).toBeCloseTo(Math.log(4), 12);
  });

  test("is 10 for a perfect match of at least four words", () => {
    expect(ciderOfTexts("a dog runs on sand", "a dog runs on sand")).toBeCloseTo(10, 9);
  });

  test("of a perfect match of three words lacks the fourth order", () => {
    expect(ciderOfTexts("a red car", "a red car")).toBeCloseTo(7.5, 9);
  });

  test("is 0 without a common word, and where only a word of every photo is common", () => {
    expect(ciderOfTexts("two cats", "a red car")).toBe(0);
    expect(ciderOfTexts("a cat", "a red car")).toBe(0);
  });

  test("is the mean over the references", () => {
    expect(ciderOfTexts("a dog runs on sand", "a dog runs on sand", "two cats")).toBeCloseTo(5, 9);
  });

  test("falls with the difference in length, by a Gaussian of 6 words", () => {
    const longer = "red red red"; // as a vector of single words the same direction, clipped to the reference's weight
    const onlyWords = (1 / 3) * Math.exp(-(2 ** 2) / 72);
    expect(ciderOfTexts(longer, "red")).toBeCloseTo((10 * onlyWords) / 4, 9);
  });

  test("of a single photo is 0, its every word being in every document", () => {
    const alone = countDocuments([[ngramsOf("a dog")]]);
    const vector = weighNgrams(ngramsOf("a dog"), alone);
    expect(ciderOf(vector, [vector])).toBe(0);
  });
});
