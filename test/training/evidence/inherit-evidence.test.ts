import { expect, test } from "vitest";
import type { EvidenceNetwork } from "../../../training/evidence/evidence-network.ts";
import { extendEvidence } from "../../../training/evidence/inherit-evidence.ts";

/** Two features are two concepts, of the words 3 and 4; word 5 is another of the second. */
const known: EvidenceNetwork = {
  ...{ featureSize: 2, concepts: 2, vocabularySize: 6 },
  detectors: { kernel: Float32Array.of(5, 0, 0, 5), bias: Float32Array.of(-2.5, -2.5) },
  words: {
    kernel: Float32Array.of(0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 4, 4),
    bias: Float32Array.of(0, 0, 0, -1, -2, -2),
  },
};
const photo = (one: number, other: number) => Float32Array.of(one, other);
const saying = (features: Float32Array, ...words: string[]) => ({ features, words: new Set(words) });

test("a new word gets the evidence of the concept that its photos show most, compared with others", () => {
  const described = [saying(photo(1, 1), "bella"), saying(photo(1, 0.9), "bella"), saying(photo(1, 0), "rex")];
  const { vocabularySize, words } = extendEvidence(known, {
    newWords: ["bella", "rex"],
    described,
    others: [photo(1, 0), photo(0.9, 0.1)],
  });
  expect(vocabularySize).toBe(8);
  expect([...words.bias]).toEqual([0, 0, 0, -1, -2, -2, -2, 0]); // all photos show the first: rex is like nothing
  expect([...words.kernel]).toEqual([0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 4, 4, 4, 0]);
});

test("a new word gets none where its photos do not show the concept, or there is nothing to compare with", () => {
  const little = { newWords: ["bella"], described: [saying(photo(0, 0.4), "bella")], others: [photo(0, 0)] };
  expect(extendEvidence(known, little).words.bias.at(-1)).toBe(0); // more than elsewhere, but hardly there
  const alone = { newWords: ["bella"], described: [saying(photo(0, 1), "bella")], others: [] };
  expect(extendEvidence(known, alone).words.bias.at(-1)).toBe(0);
});
