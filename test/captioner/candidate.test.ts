import { expect, test } from "vitest";
import { toCandidate } from "../../captioner/candidate.ts";
import { parseVocabulary } from "../../shared/vocabulary.ts";

const vocabulary = parseVocabulary(["", "startseq", "endseq", "dog", "runs"]);
const found = { words: [3, 4], wordLogProbs: [-0.5, -0.25, -0.75], logProb: -1.5, evidence: 0 };

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

test("evidence for its words raises a caption's confidence, at most to 1, and not their probabilities", () => {
  const raw = toCandidate(found, { vocabulary, confidenceMap: undefined });
  const seen = toCandidate({ ...found, evidence: 0.6 }, { vocabulary, confidenceMap: undefined });
  expect(seen.confidence).toBeCloseTo(Math.exp(-0.3), 5);
  expect({ ...seen, confidence: raw.confidence }).toEqual(raw);
  expect(toCandidate({ ...found, evidence: 3 }, { vocabulary, confidenceMap: undefined }).confidence).toBe(1);
  const confidenceMap = [
    { raw: 0.5, calibrated: 0.7 },
    { raw: 1.5, calibrated: 0.9 },
  ];
  expect(toCandidate({ ...found, evidence: 1.5 }, { vocabulary, confidenceMap }).confidence).toBe(0.8);
});
