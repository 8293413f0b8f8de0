import { expect, test } from "vitest";
import { singularOf, thingWords } from "../../../training/score/content-words.ts";

test.each([
  ["dogs", "dog"],
  ["berries", "berry"],
  ["benches", "bench"],
  ["boxes", "box"],
  ["dresses", "dress"],
  ["grass", "grass"],
  ["dog", "dog"],
])("the singular of %s is %s", (word, singular) => {
  expect(singularOf(word)).toBe(singular);
});

test("words for people and of the closed classes name no thing", () => {
  expect(thingWords("two men and a dog on the grass".split(" "))).toEqual(["two", "dog", "grass"]);
});
