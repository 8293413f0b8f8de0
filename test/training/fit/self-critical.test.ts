import "@tensorflow/tfjs-backend-cpu";
import { memory, setBackend } from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { sampleCaptions } from "../../../training/fit/sample-captions.ts";
import { advantagesOf, CiderReward } from "../../../training/fit/self-critical.ts";
import { randomFor } from "../../../training/keyed-random.ts";
import { scoreCaptions } from "../../../training/score/score-captions.ts";
import { nextWordProbabilities } from "./expanded-prefixes.ts";
import { tinySpec, tinyValues, variablesOf } from "./tiny-merge-model.ts";

beforeAll(() => setBackend("cpu"));

const features = Float32Array.from({ length: tinySpec.featureSize }, (_, index) => Math.abs(Math.cos(index)));
const repeated = (rows: number) =>
  Float32Array.from({ length: rows * features.length }, (_, at) => features[at % 8] ?? 0);
const ids = { startId: 1, endId: 2 };

describe("drawn captions", () => {
  test("have their words as often as the model's own layers give them probability", () => {
    const rows = 4000;
    const captions = sampleCaptions(variablesOf(tinyValues()), {
      ...{ features: repeated(rows), rows, maxWords: 3, ...ids, random: randomFor("draw") },
    });
    /** Behind each of these beginnings, every word as often as it is probable. */
    for (const prefix of [[1], [1, 4], [1, 7]]) {
      const expected = nextWordProbabilities(tinyValues(), { features, prefix });
      const open = 1 - (expected[0] ?? 0) - (expected[1] ?? 0); // padding and start are never drawn
      const found = captions.filter((caption) => prefix.every((id, place) => caption[place] === id));
      expect(found.length).toBeGreaterThan(100);
      for (let next = 2; next < tinySpec.vocabularySize; next++) {
        const share = found.filter((caption) => caption[prefix.length] === next).length / found.length;
        expect(Math.abs(share - (expected[next] ?? 0) / open)).toBeLessThan(3 / Math.sqrt(4 * found.length));
      }
    }
    expect(captions.flat()).not.toContain(0);
  });

  test("end with the end word or at their longest, and leave no tensor behind", () => {
    const variables = variablesOf(tinyValues());
    const before = memory().numTensors;
    const captions = sampleCaptions(variables, {
      features: repeated(200),
      rows: 200,
      maxWords: 5,
      ...ids,
      random: randomFor(1),
    });
    for (const caption of captions) {
      expect(caption[0]).toBe(1);
      expect(caption.indexOf(2)).toBe(caption.at(-1) === 2 ? caption.length - 1 : -1);
      if (caption.at(-1) !== 2) expect(caption).toHaveLength(6);
    }
    expect(memory().numTensors).toBe(before);
  });
});

describe("the reward", () => {
  const references = [
    ["A dog runs .", "The dog runs on grass"],
    ["Two cats sleep !", "A cat sleeps"],
  ];

  test("is highest for a photo's own reference, and counts the end as a word", () => {
    const reward = new CiderReward(references);
    const own = reward.of(0, ["a", "dog", "runs", "endseq"]);
    expect(own).toBeGreaterThan(reward.of(0, ["a", "dog", "runs", "on", "endseq"]));
    expect(own).toBeGreaterThan(reward.of(0, ["a", "dog", "runs"])); // which did not end by itself
    expect(reward.of(1, ["a", "dog", "runs", "endseq"])).toBeLessThan(own / 4);
  });

  test("is the scorer's CIDEr where the end is written out in the references", () => {
    const ended = references.map((captions) => captions.map((caption) => `${caption.replace(/ [.!]$/, "")} endseq`));
    const captions = ["a dog sleeps endseq", "a cat sleeps endseq"];
    const { perPhoto } = scoreCaptions({
      candidates: new Map(captions.map((caption, photo) => [String(photo), caption])),
      references: new Map(ended.map((own, photo) => [String(photo), own])),
    });
    for (const [photo, caption] of captions.entries()) {
      const expected = perPhoto.get(String(photo))?.cider ?? Number.NaN;
      expect(new CiderReward(references).of(photo, caption.split(" "))).toBeCloseTo(expected, 10);
    }
  });
});

test("a caption's advantage is its reward less the mean of its photo's others", () => {
  expect(advantagesOf([1, 2, 6, 0, 0, 3], 3)).toEqual([-3, -1.5, 4.5, -1.5, -1.5, 3]);
});
