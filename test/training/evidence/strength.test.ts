import "@tensorflow/tfjs-backend-cpu";
import { expect, test } from "vitest";
import { parseVocabulary } from "../../../shared/vocabulary.ts";
import { readEvidenceNetwork, toEvidenceFiles } from "../../../training/evidence/evidence-network.ts";
import { evidenceOf } from "../../../training/evidence/strength.ts";
import { parseModel } from "../../../training/layers-format.ts";

const vocabulary = parseVocabulary(["", "startseq", "endseq", "a", "dog", "dogs", "red", "man"]);
/** The logits of dog and red are the only feature, and half of it. */
const detectors = {
  concepts: [
    { concept: "dog", recall: 0.8, isReliable: true },
    { concept: "red", recall: 0.1, isReliable: false },
  ],
  kernel: Float32Array.of(1, 0.5),
  bias: Float32Array.of(0, 0),
};

/** The evidence of each word, from the network as a bundle stores it. */
async function evidenceAt(logit: number, strength = 1): Promise<Record<string, number>> {
  const files = await toEvidenceFiles(evidenceOf(detectors, { vocabulary, strength }));
  const { concepts, detectors: detect, words, vocabularySize } = readEvidenceNetwork(parseModel(files));
  const shown = [...detect.bias].map((bias, concept) =>
    Math.min(1, Math.max(0, 0.2 * (bias + logit * (detect.kernel[concept] ?? 0)) + 0.5)),
  );
  expect([concepts, vocabularySize]).toEqual([2, vocabulary.size]);
  const scores = [...words.bias].map((bias, id) =>
    shown.reduce((sum, value, concept) => sum + value * (words.kernel[concept * vocabularySize + id] ?? 0), bias),
  );
  return Object.fromEntries(vocabulary.words.map((word, id) => [word, scores[id] ?? Number.NaN]));
}

/** What a reliable detector's evidence approximates, for its probability. */
const exact = (logit: number) => Math.log((1 / (1 + Math.exp(-logit)) + 0.02) / 0.2);

test.each([-9, -5, -4, -3, -2, -1, 0, 2])("evidence at a logit of %d is near log((p + 0.02) / 0.2)", async (logit) => {
  const { dog = Number.NaN, dogs } = await evidenceAt(logit);
  expect(Math.abs(dog - Math.min(1.5, exact(logit)))).toBeLessThan(0.4);
  expect(dogs).toBe(dog);
});

test("absence counts less where the detector is unreliable, and words without a detector get no evidence", async () => {
  const { dog, red, a, man } = await evidenceAt(-20);
  expect(dog).toBeCloseTo(-2.2, 2);
  expect(red).toBeCloseTo(-1, 1);
  expect([a, man]).toEqual([0, 0]);
  expect((await evidenceAt(20)).red).toBeCloseTo(1.5, 1);
});

test("all evidence is multiplied by the strength", async () => {
  const [once, twice] = [await evidenceAt(-2), await evidenceAt(-2, 2)];
  for (const [word, value] of Object.entries(once)) expect(twice[word]).toBeCloseTo(2 * value, 2);
});
