import { expect, test } from "vitest";
import { randomFor, uniform } from "../../../training/keyed-random.ts";
import { bootstrapIntervals } from "../../../training/score/bootstrap.ts";
import { joinScores, type PhotoScores } from "../../../training/score/score-captions.ts";

const photos = 400;
const draws = uniform(randomFor("scores"), { size: photos, limit: 0.5 });

/** CIDEr uniform in [0, 1]; of ten words, five or six are found. */
const scored = Array.from(draws, (draw): PhotoScores => {
  const matches = draw > 0 ? 6 : 5;
  const bleuCounts = { candidateLength: 10, referenceLength: 10, matches: [matches, 0, 0, 0], guesses: [10, 9, 8, 7] };
  return { bleu1: matches / 10, bleu2: 0, bleu3: 0, bleu4: 0, rougeL: 0.25, cider: draw + 0.5, bleuCounts };
});

test("a mean's interval is that of the normal distribution, 1.96 standard errors to both sides", () => {
  const { cider } = joinScores(scored);
  const [low, high] = bootstrapIntervals(scored).cider;
  const error = Math.sqrt(1 / 12 / photos);
  expect(low).toBeCloseTo(cider - 1.96 * error, 2);
  expect(high).toBeCloseTo(cider + 1.96 * error, 2);
});

test("BLEU's is of the corpus' score, and a score that is the same everywhere has none to speak of", () => {
  const { bleu1, rougeL } = bootstrapIntervals(scored);
  const standardError = 0.05 / Math.sqrt(photos);
  expect((bleu1[1] - bleu1[0]) / (2 * 1.96 * standardError)).toBeCloseTo(1, 0);
  expect(bleu1[0]).toBeLessThan(joinScores(scored).bleu1);
  expect(bleu1[1]).toBeGreaterThan(joinScores(scored).bleu1);
  expect(rougeL[1] - rougeL[0]).toBeCloseTo(0, 10);
});

test("is the same each time", () => {
  expect(bootstrapIntervals(scored)).toEqual(bootstrapIntervals(scored));
});
