import type { CaptionResult } from "../../shared/contract.ts";

const caption = "a dog runs on the beach";

const probabilities: [word: string, probability: number][] = [
  ["a", 0.84],
  ["dog", 0.71],
  ["runs", 0.38],
  ["on", 0.55],
  ["the", 0.83],
  ["beach", 0.62],
  ["endseq", 0.66],
];

const logProb = -3.16215; // the sum of their logarithms

/** What a caption looks like, for the contract's readers. Its figures fit each other; its ids are of no photo. */
export const exampleResult: CaptionResult = {
  id: `sha256:${"5c1e".repeat(16)}`,
  contentId: `content:${"8d02".repeat(16)}`,
  caption,
  confidence: 0.636523,
  candidates: [
    {
      caption,
      confidence: 0.636523,
      logProb,
      words: probabilities.map(([word, probability]) =>
        word === "endseq" ? { word, probability, end: true } : { word, probability },
      ),
    },
  ],
  image: { format: "jpeg", width: 500, height: 375, bytes: 81_234 },
  model: { id: "everyday-merge", revision: "0123456789ab" },
  options: { beam: 3, candidates: 1 },
};
