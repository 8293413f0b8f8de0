import { describe, expect, test } from "vitest";
import { cleanCaption } from "../../../shared/clean-caption.ts";
import { SentenceIndex } from "../../../training/sentences/sentence-index.ts";

const sentence = (text: string) => ({ text, words: cleanCaption(text, "natural") });

const thing = { prior: 0.2, floor: -2.3 };
const known = new Map(["pizza", "table", "dog", "plate", "grass"].map((word) => [word, thing]));

function indexOf(...texts: string[]) {
  const index = new SentenceIndex(texts.map(sentence), known);
  const choose = (words: Record<string, number>, count = 1) =>
    index.choose(new Map(Object.entries(words)), count).map((chosen) => index.sentences[chosen.sentence]?.text);
  return { index, choose };
}

describe("chooses for the words of a photo", () => {
  const texts = [
    "A pizza lies on a wooden table.",
    "A dog runs over the green grass.",
    "A dog sits beside a large table.",
  ];

  test("the sentence that says them", () => {
    const { choose } = indexOf(...texts);
    expect(choose({ pizza: 0.9, table: 0.6 })).toEqual([texts[0]]);
    expect(choose({ dog: 0.9, grass: 0.8 })).toEqual([texts[1]]);
    expect(choose({ dog: 0.9, table: 0.8 })).toEqual([texts[2]]);
  });

  test("as many as wanted, best first, or as many as there are", () => {
    const { choose } = indexOf(...texts);
    expect(choose({ dog: 0.9, table: 0.8 }, 2)[0]).toBe(texts[2]);
    expect(choose({ dog: 0.9 }, 9)).toHaveLength(3);
  });

  test("and scores it by the sum over its content words", () => {
    const { index } = indexOf("The dog is on the grass.", "A cat is on a mat here.");
    const [first] = index.choose(new Map([["dog", 0.9]]), 1);
    // two sentences, each word in one of them: log(2 / 2) / 6 is held at 0.5; "dog" speaks for it, "grass" against it
    const expected = (0.5 * Math.log(0.92 / 0.2) + 0.5 * Math.max(Math.log(0.02 / 0.2), -2.3)) / 2 ** 0.65;
    expect(first?.score).toBeCloseTo(expected, 5);
  });

  test("and does not go below a word's floor for what was not seen", () => {
    const floor = new Map([
      ["dog", thing],
      ["grass", { prior: 0.2, floor: -0.1 }],
    ]);
    const index = new SentenceIndex([sentence("The dog is on the grass.")], floor);
    expect(index.choose(new Map([["dog", 0.9]]), 1)[0]?.score).toBeCloseTo((0.5 * Math.log(4.6) - 0.05) / 2 ** 0.65, 5);
  });
});

test("sentences that agree with the others win over one that fits as well and says something of its own", () => {
  const texts = [
    "A zeppelin is landing near a pizza plate.",
    "A pizza is on a plate.",
    "A pizza sits on a plate.",
    "The pizza is on a white plate.",
  ];
  const { index, choose } = indexOf(...texts);
  expect(choose({ pizza: 0.9, plate: 0.9 }, 4).at(-1)).toBe(texts[0]);
  for (const { agreement } of index.choose(new Map([["pizza", 0.9]]), 4)) {
    expect(agreement).toBeGreaterThanOrEqual(0);
    expect(agreement).toBeLessThan(1);
  }
});

test("agreement is the mean cosine to the other candidates", () => {
  const { index } = indexOf(
    "A dog runs over grass here.",
    "A dog runs over grass there.",
    "Cats sleep under an old car.",
  );
  const agreementOf = new Map(
    index
      .choose(new Map(), 3)
      .map(({ sentence: at, agreement }) => [index.sentences[at]?.text.split(" ")[0], agreement]),
  );
  expect(agreementOf.get("Cats")).toBe(0); // shares no word and no pair of words with the others
  // ten words and pairs of words in two of three sentences, three in one
  const [shared, own] = [10 * Math.log(4 / 3) ** 2, 3 * Math.log(2) ** 2];
  expect(agreementOf.get("A")).toBeCloseTo(shared / (shared + own) / 2, 5);
});

test("sentences of the same words stand once, and short and long ones are left out", () => {
  const long = "A dog and another dog and a cat and a bird and a horse and a cow run";
  const { index } = indexOf("A dog runs on grass.", "a dog runs on grass", "A dog runs.", long);
  expect(index.sentences.map(({ text }) => text)).toEqual(["A dog runs on grass."]);
});

test("the same photo gets the same sentences, whatever was chosen before", () => {
  const { choose } = indexOf("A dog runs over the grass.", "A pizza is on the table.", "A dog is under the table.");
  const first = choose({ dog: 0.7, grass: 0.6 }, 3);
  choose({ pizza: 0.9, table: 0.9 }, 3);
  expect(choose({ dog: 0.7, grass: 0.6 }, 3)).toEqual(first);
});
