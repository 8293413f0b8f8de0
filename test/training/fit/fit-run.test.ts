import "@tensorflow/tfjs-backend-cpu";
import { setBackend } from "@tensorflow/tfjs-core";
import { beforeAll, expect, test, vi } from "vitest";
import { parseVocabulary } from "../../../shared/vocabulary.ts";
import { FitRun } from "../../../training/fit/fit-run.ts";
import { initialValues } from "../../../training/fit/merge-model.ts";
import type { TrainingData } from "../../../training/fit/plan-steps.ts";
import type { Recipe } from "../../../training/fit/recipe.ts";
import { CiderReward } from "../../../training/fit/self-critical.ts";
import type { ModelFiles } from "../../../training/layers-format.ts";
import { temporaryFolder } from "../../fixtures/bundles.ts";
import { largestDifference } from "../../fixtures/vectors.ts";
import { tinySpec } from "./tiny-merge-model.ts";

beforeAll(async () => {
  await setBackend("cpu");
  vi.spyOn(process.stderr, "write").mockReturnValue(true); // progress
});

const vocabulary = parseVocabulary([
  "",
  "startseq",
  "endseq",
  "a",
  "dog",
  "runs",
  "cat",
  "sleeps",
  "on",
  "grass",
  "red",
  "blue",
]);
const written = ["a dog runs", "a cat sleeps", "a red dog", "a blue cat on grass"];
const references = written.map((caption) => [caption]);
const data = {
  captions: written.map((caption, photo) => ({ photo, ids: vocabulary.encode(caption.split(" ")) })),
  features: Float32Array.from({ length: written.length * tinySpec.featureSize }, (_, index) =>
    Math.abs(Math.sin(index)),
  ),
  rewardInputs: () => ({ reward: new CiderReward(references), vocabulary, maxWords: 6 }),
};
const recipe: Recipe = {
  phases: [
    { epochs: 3, batch: { captions: 2 }, learningRate: 0.01, schedule: "cosine" },
    {
      epochs: 3,
      batch: { photos: 2, samples: 3, anchor: 0.1, pseudoAnchor: 0.3 },
      learningRate: 0.01,
      schedule: "cosine",
    },
  ],
  dropout: { image: 0.25, words: 0.25, merge: 0.25 },
  labelSmoothing: 0.1,
  averageDecay: 0.9,
  keeps: "best epoch",
};

async function begin(
  folder: string,
  learnt: TrainingData = data,
  keeps: Recipe["keeps"] = "best epoch",
): Promise<FitRun> {
  const spec = { ...tinySpec, dropout: recipe.dropout };
  const dependencies = { settings: { seed: 1 }, inputs: {} };
  const start = initialValues(spec, 1);
  return FitRun.begin({
    ...{ folder, dependencies, data: learnt, spec, start, recipe: { ...recipe, keeps }, seed: 1 },
    isEmbeddingTuned: true,
    scorer: undefined,
  });
}

/** Runs until so many epochs are done, all of them as a rule. */
async function runUntil(run: FitRun, epochs = 6): Promise<void> {
  for await (const { metrics } of run.epochs()) if (metrics.epoch === epochs) break;
}

test.each([1, 3, 4])(
  "a run through both phases that is stopped behind epoch %i ends as an undisturbed one",
  async (epoch) => {
    const undisturbed = await begin(await temporaryFolder());
    await runUntil(undisturbed);
    const folder = await temporaryFolder();
    const first = await begin(folder);
    await runUntil(first, epoch);
    first.dispose();
    const second = await begin(folder);
    await runUntil(second);

    expect(second.metrics.map((metrics) => metrics.epoch)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(second.metrics.map(({ loss, reward }) => [loss !== undefined, reward !== undefined])).toEqual([
      ...new Array(3).fill([true, false]),
      ...new Array(3).fill([false, true]),
    ]);
    const [expected, found] = [await undisturbed.keptFiles(), await second.keptFiles()];
    expect(Buffer.from(found.weights).equals(Buffer.from(expected.weights))).toBe(true);
    undisturbed.dispose();
    second.dispose();
  },
);

test("the mean of phases is that of the last weights of each, also of a run that was stopped between", async () => {
  const folder = await temporaryFolder();
  const first = await begin(folder, data, "mean of phases");
  await runUntil(first, 3);
  const ofFirst = weightsOf(await first.keptFiles());
  first.dispose();
  const second = await begin(folder, data, "mean of phases");
  await runUntil(second);
  const mean = weightsOf(await second.keptFiles());
  second.dispose();
  const last = await begin(await temporaryFolder());
  await runUntil(last);
  const ofSecond = weightsOf(await last.keptFiles());
  last.dispose();
  expect(largestDifference(ofFirst, ofSecond)).toBeGreaterThan(0.01);
  const expected = ofFirst.map((value, place) => (value + (ofSecond[place] ?? 0)) / 2);
  expect(largestDifference(mean, expected)).toBeLessThan(1e-6);
});

function weightsOf({ weights }: ModelFiles): Float32Array {
  return new Float32Array(new Uint8Array(weights).buffer);
}

test("a run that has nothing but pseudo-captions goes without the phase that would need captions to measure by", async () => {
  const captions = data.captions.map((caption) => ({ ...caption, isPseudo: true as const }));
  const run = await begin(await temporaryFolder(), { ...data, captions });
  await runUntil(run);
  expect(run.metrics.map(({ loss }) => loss !== undefined)).toEqual([true, true, true]);
  run.dispose();
});
