import { describe, expect, test } from "vitest";
import { lemmaOf } from "../../shared/lemma.ts";

describe("lemmaOf", () => {
  test.each([
    ["dogs", "dog"],
    ["beaches", "beach"],
    ["horses", "horse"],
    ["dresses", "dress"],
    ["puppies", "puppy"],
    ["movies", "movie"],
    ["shoes", "shoe"],
    ["children", "child"],
    ["people", "person"],
    ["leaves", "leaf"],
    ["waves", "wave"],
    ["running", "run"],
    ["sitting", "sit"],
    ["riding", "ride"],
    ["jumping", "jump"],
    ["climbing", "climb"],
    ["rolling", "roll"],
    ["dancing", "dance"],
    ["paddling", "paddle"],
    ["skiing", "ski"],
    ["striped", "stripe"],
    ["dressed", "dress"],
    ["carried", "carry"],
    ["covered", "cover"],
    ["larger", "large"],
  ])("%s is a form of %s", (form, lemma) => {
    expect(lemmaOf(form)).toBe(lemma);
  });

  test.each([
    "grass",
    "building",
    "ceiling",
    "red",
    "sled",
    "bus",
    "tennis",
    "glasses",
    "jeans",
    "swing",
    "ring",
    "dog",
    "犬",
    "été",
  ])("%s is no form of another word", (word) => {
    expect(lemmaOf(word)).toBe(word);
  });
});
