import { describe, expect, test } from "vitest";
import { prepareReferences, scoreAgainst, scoreCaptions } from "../../../training/score/score-captions.ts";
import cases from "../../fixtures/caption-score-cases.json" with { type: "json" };

const candidates = new Map(cases.map(({ photo, candidate }) => [photo, candidate]));
const references = new Map(cases.map(({ photo, references }) => [photo, references]));

describe("scores of a list of captions", () => {
  test("do not depend on the order of the photos", () => {
    const scores = scoreCaptions({ candidates, references });
    const turned = scoreCaptions({
      candidates: new Map([...candidates].toReversed()),
      references: new Map([...references].toReversed()),
    });
    for (const name of ["bleu1", "bleu2", "bleu3", "bleu4", "rougeL", "cider"] as const)
      expect(turned[name]).toBeCloseTo(scores[name], 12);
    expect(Object.fromEntries(turned.perPhoto)).toEqual(Object.fromEntries(scores.perPhoto));
  });

  test("are the same again from references that were prepared once", () => {
    const prepared = prepareReferences(references);
    scoreAgainst(prepared, new Map([...candidates.keys()].map((photo) => [photo, "a dog"])));
    expect(scoreAgainst(prepared, candidates)).toEqual(scoreCaptions({ candidates, references }));
  });

  test("compare tokens, so that case, spaces and punctuation do not matter", () => {
    const plain = {
      candidates: new Map([["1", "a dog 's bone"]]),
      references: new Map([["1", ["the dog 's bone lies"]]]),
    };
    const spelt = {
      candidates: new Map([["1", " A DOG'S bone!"]]),
      references: new Map([["1", ["The dog's bone, lies."]]]),
    };
    expect(scoreCaptions(spelt)).toEqual(scoreCaptions(plain));
  });

  test("refuse a photo without a caption, without references, or with an empty list of them", () => {
    const two = new Map([
      ["1", ["a dog"]],
      ["2", ["a cat"]],
    ]);
    const one = new Map([["1", "a dog"]]);
    expect(() => scoreCaptions({ candidates: one, references: two })).toThrow("expected a caption of photo 2");
    expect(() =>
      scoreCaptions({ candidates: new Map([...one, ["3", "a"]]), references: new Map([["1", ["a"]]]) }),
    ).toThrow("expected references of captioned photo 3");
    expect(() => scoreCaptions({ candidates: one, references: new Map([["1", []]]) })).toThrow(
      "expected at least one reference of photo 1",
    );
    expect(() => scoreCaptions({ candidates: new Map(), references: new Map() })).toThrow("at least one photo");
  });
});
