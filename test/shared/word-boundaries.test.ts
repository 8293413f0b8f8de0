import { describe, expect, test } from "vitest";
import { cleanCaption } from "../../shared/clean-caption.ts";
import { joinWords, normalizeText, spaceWords } from "../../shared/word-boundaries.ts";

describe("joins words", () => {
  test.each([
    ["with spaces", ["a", "dog", "runs"], "a dog runs"],
    ["of a script without spaces, without", ["一只", "狗", "在", "海滩", "上"], "一只狗在海滩上"],
    ["and lone letters of such a script", ["穿", "t恤", "的", "男人"], "穿t恤的男人"],
    ["of both kinds with a space between", ["สุนัข", "วิ่ง", "nike"], "สุนัขวิ่ง nike"],
    ["of Korean with spaces", ["개가", "해변에서"], "개가 해변에서"],
    ["that are none to nothing", [], ""],
  ])("%s", (_, words, caption) => {
    expect(joinWords(words)).toBe(caption);
  });

  test.each(["一只狗在海滩上奔跑", "犬がビーチを走っています", "tシャツを着た男の人", "สุนัขวิ่งบนชายหาด"])(
    "of %s so that cleaning finds them again",
    (caption) => {
      const words = cleanCaption(caption, "natural");
      expect(words.length).toBeGreaterThan(2);
      expect(joinWords(words)).toBe(caption);
    },
  );
});

test("puts spaces around words of scripts without spaces and leaves all other text as it is", () => {
  expect(spaceWords("A dog, a cat’s  t-shirt!")).toBe("A dog, a cat’s  t-shirt!");
  expect(spaceWords("两只狗,Nike").split(/ +/)).toEqual(["", "两", "只", "狗", ",Nike"]);
});

test("normalizing leaves typographic punctuation as it is", () => {
  expect(normalizeText("“don’t” – wait…。")).toBe("“don’t” – wait…。");
});
