import { describe, expect, test } from "vitest";
import { findNeutralChanges } from "../../shared/neutral-words.ts";

function neutral(caption: string): string {
  const words = caption.split(" ");
  for (const { first, count, words: replacement } of findNeutralChanges(words).toReversed()) {
    words.splice(first, count, ...replacement);
  }
  return words.join(" ");
}

describe("findNeutralChanges", () => {
  test.each([
    ["a man rides a bike", "a person rides a bike"],
    ["two boys and their dogs", "two children and their dogs"],
    ["an older lady with a guy", "an older person with a person"],
    ["a policeman on a horse", "a police officer on a horse"],
    ["a mother and her son", "a parent and their child"],
    ["a baby boy sleeps near baby girls", "a baby sleeps near babies"],
    ["two male dancers and a female", "two dancers and a person"],
    ["a mans hand on a boys head", "a persons hand on a childs head"],
    ["a snowman and a bride", "a snowman and a bride"],
  ])("%s: %s", (caption, expected) => {
    expect(neutral(caption)).toBe(expected);
  });

  test.each([
    ["a man and a woman", "two people"],
    ["man and woman", "two people"],
    ["the man and the woman dance", "the two people dance"],
    ["two men and a woman in hats", "three people in hats"],
    ["a group of men and women", "a group of people"],
    ["several men and a woman", "several people"],
    ["a girl and a child", "two children"],
    ["a little boy and girl", "two little children"],
    ["a man and a woman and a boy", "two people and a child"],
    ["a man and a boy", "a person and a child"],
    ["an old man and a young woman", "an old person and a young person"],
    ["a person and a child", "a person and a child"],
    ["a dog and a man", "a dog and a person"],
  ])("counts people of one kind: %s, %s", (caption, expected) => {
    expect(neutral(caption)).toBe(expected);
  });

  test.each([
    ["a boy with his dog", "a child with their dog"],
    ["a dog runs to her", "a dog runs to them"],
    ["a dog sits by her and waits", "a dog sits by them and waits"],
    ["a man jumps as he catches it himself", "a person jumps as they catch it themselves"],
    ["she is happy", "they are happy"],
    ["his or her hat", "their hat"],
  ])("says they for he and she: %s, %s", (caption, expected) => {
    expect(neutral(caption)).toBe(expected);
  });

  test.each([
    ["a male athlete runs", "an athlete runs"],
    ["a sportsman jumps", "an athlete jumps"],
    ["an actress waves", "an actor waves"],
  ])("sets the article before what changed: %s, %s", (caption, expected) => {
    expect(neutral(caption)).toBe(expected);
  });
});
