import { expect, test } from "vitest";
import { toCandidate } from "../../captioner/candidate.ts";
import { parseVocabulary } from "../../shared/vocabulary.ts";

const vocabulary = parseVocabulary(["", "startseq", "endseq", "dog", "runs"]);
const found = { words: [3, 4], wordLogProbs: [-0.5, -0.25, -0.75], logProb: -1.5 };

test("a confidence map changes the confidence alone, not the probabilities that it is made of", () => {
  const raw = toCandidate(found, { vocabulary, confidenceMap: undefined });
  expect(raw.confidence).toBeCloseTo(Math.exp(-0.5), 5);
  const confidenceMap = [
    { raw: 0.5, calibrated: 0.7 },
    { raw: 0.7, calibrated: 0.9 },
  ];
  const calibrated = toCandidate(found, { vocabulary, confidenceMap });
  expect(calibrated.confidence).toBeCloseTo(0.7 + (Math.exp(-0.5) - 0.5), 5);
  expect({ ...calibrated, confidence: raw.confidence }).toEqual(raw);
});
