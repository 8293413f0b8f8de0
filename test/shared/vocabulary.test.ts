import { describe, expect, test } from "vitest";
import { type Cleaning, cleanCaption } from "../../shared/clean-caption.ts";
import { buildVocabulary, parseVocabulary } from "../../shared/vocabulary.ts";

const captions = ["A dog runs on a beach .", "Two dogs run .", "A dog on a dog ."];

function vocabularyOf(cleaning: Cleaning, { minCount }: { minCount: number }) {
  const words = captions.map((caption) => cleanCaption(caption, cleaning));
  return buildVocabulary(words, { minCount });
}

describe("builds from cleaned captions, in order of first appearance,", () => {
  test.each([
    ["tutorial", 1, " startseq dog runs on beach endseq two dogs run"],
    ["tutorial", 2, " startseq dog on endseq"],
    ["tutorial", 3, " startseq dog endseq"],
    ["natural", 1, " startseq a dog runs on beach endseq two dogs run"],
    ["natural", 3, " startseq a dog endseq"],
  ] as const)("%s, words seen at least %i times", (cleaning, minCount, words) => {
    expect(vocabularyOf(cleaning, { minCount }).words).toEqual(words.split(" "));
  });

  test("nothing when no word, not even start and end, is seen often enough", () => {
    expect(() => vocabularyOf("natural", { minCount: 4 })).toThrow("the vocabulary is not valid");
    expect(() => buildVocabulary([], { minCount: 1 })).toThrow("startseq");
  });
});

describe("encodes and decodes", () => {
  const tutorial = vocabularyOf("tutorial", { minCount: 1 });
  const natural = vocabularyOf("natural", { minCount: 1 });

  test.each([
    ["tutorial", "A dog runs on a beach .", ["dog", "runs", "on", "beach"], [1, 2, 3, 4, 5, 6], "dog runs on beach"],
    ["natural", "A dog runs .", ["a", "dog", "runs"], [1, 2, 3, 4, 7], "a dog runs"],
    ["natural", "A cat 's dog !", ["a", "cat", "dog"], [1, 2, 3, 7], "a dog"],
    ["natural", "", [], [1, 7], ""],
  ] as const)("with the %s cleaning: %s", (cleaning, text, tokens, ids, decoded) => {
    const vocabulary = cleaning === "natural" ? natural : tutorial;
    const words = cleanCaption(text, cleaning);
    expect(words).toEqual(tokens);
    expect(vocabulary.encode(words)).toEqual(ids);
    expect(vocabulary.decode(ids)).toBe(decoded);
  });

  test("without padding, and knows size, start and end", () => {
    expect(natural.decode([0, 0, 1, 3, 7, 0])).toBe("dog");
    expect(natural).toMatchObject({ size: 11, startId: 1, endId: 7 });
    expect(natural.idOf("beach")).toBe(6);
    expect(natural.idOf("cat")).toBeUndefined();
  });

  test("words of a script without spaces", () => {
    const words = cleanCaption("一只狗在海滩上奔跑。", "natural");
    const chinese = buildVocabulary([words], { minCount: 1 });
    expect(chinese.decode(chinese.encode(words))).toBe("一只狗在海滩上奔跑");
    expect(chinese.wordsOf(chinese.encode(words))).toEqual(words);
  });

  test("no id beyond the vocabulary", () => {
    expect(() => natural.decode([1, 11])).toThrow("expected word ids below 11, received 11");
  });
});

describe("refuses a vocabulary", () => {
  test.each([
    ["that is no list", { words: [] }, "expected array"],
    ["with something else than words in it", ["", "startseq", 7, "endseq"], "expected string"],
    ["that is too short", ["", "startseq"], "expected array to have >=3 items"],
    ["without startseq", ["", "dog", "endseq"], 'expected the word "startseq", found none'],
    ["without endseq", ["", "startseq", "dog"], 'expected the word "endseq", found none'],
    ["without padding", ["startseq", "dog", "endseq"], 'at id 0, found "startseq"'],
    ["with a word twice", ["", "startseq", "dog", "endseq", "dog"], 'found "dog" at ids 2 and 4'],
    ["with padding twice", ["", "startseq", "", "endseq"], 'found "" at ids 0 and 2'],
  ])("%s", (_, json, message) => {
    expect(() => parseVocabulary(json)).toThrow(message);
  });

  test("and names everything that is wrong with it", () => {
    expect(() => parseVocabulary(["x", "dog", "dog"])).toThrow(
      /padding[\s\S]*startseq[\s\S]*endseq[\s\S]*"dog" at ids 1 and 2/,
    );
  });
});

test("takes back what it has written", () => {
  const { words } = vocabularyOf("natural", { minCount: 1 });
  expect(parseVocabulary(JSON.parse(JSON.stringify(words))).words).toEqual(words);
});
