import "@tensorflow/tfjs-backend-cpu";
import { memory, setBackend } from "@tensorflow/tfjs-core";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { parseLayersModel } from "../../../captioner/networks/layers-model.ts";
import { parseVocabulary } from "../../../shared/vocabulary.ts";
import { captionFeatures } from "../../../training/fit/decode-features.ts";
import { Distillation } from "../../../training/fit/distillation.ts";
import { initialValues, type MergeSpec, type MergeValues, mergeModel } from "../../../training/fit/merge-model.ts";
import type { TrainingData } from "../../../training/fit/plan-steps.ts";
import { epochsOf, type Recipe } from "../../../training/fit/recipe.ts";
import { Trainer } from "../../../training/fit/trainer.ts";
import { randomFor, uniform } from "../../../training/keyed-random.ts";
import { toLayersFormat } from "../../../training/layers-format.ts";

beforeAll(() => setBackend("cpu"));

const words = ["", "startseq", "endseq", "a", "dog", "runs", "cat", "sleeps", "on", "grass", "bella"];
const vocabulary = parseVocabulary(words);
const known = vocabulary.size - 1; // all but "bella"
const spec: MergeSpec = {
  ...{ featureSize: 16, vocabularySize: vocabulary.size, embeddingSize: 8, units: 24, maxCaptionLength: 8 },
  dropout: { image: 0, words: 0, merge: 0 },
};
const featuresOf = (key: string) => uniform(randomFor(key), { size: 4 * spec.featureSize, limit: 1 }).map(Math.abs);
const earlier = {
  features: featuresOf("earlier"),
  captions: ["a dog runs", "a cat sleeps", "a dog on grass", "a cat on grass"],
};
const own = { features: featuresOf("own"), captions: ["bella runs", "bella sleeps", "bella on grass", "bella"] };

function recipeOf({ epochs, weight }: { epochs: number; weight: number }): Recipe {
  const rehearsal = weight === 0 ? {} : { rehearsal: { captions: 4, weight } };
  return {
    phases: [{ epochs, batch: { captions: 4, steps: 2 }, learningRate: 0.01, schedule: "constant", ...rehearsal }],
    dropout: spec.dropout,
    labelSmoothing: 0,
    keeps: "last epoch",
  };
}

async function learn(start: MergeValues, data: TrainingData, recipe: Recipe): Promise<MergeValues> {
  const trainer = new Trainer({ spec, recipe, seed: 1, isEmbeddingTuned: true }, start);
  onTestFinished(() => trainer.dispose());
  for (const [index, phaseEpoch] of epochsOf(recipe).entries()) {
    await trainer.runEpoch(data, { number: index + 1, phaseEpoch, onStep: () => {} });
  }
  return trainer.values();
}

function dataOf({ features, captions }: typeof own): TrainingData {
  return { features, captions: captions.map((text, photo) => ({ photo, ids: vocabulary.encode(text.split(" ")) })) };
}

async function say(values: MergeValues, { features }: typeof own): Promise<string[]> {
  const { topology, weights } = await toLayersFormat(mergeModel(spec, values));
  const model = parseLayersModel({ topology, readWeights: () => weights });
  const search = { lengthPenalty: 0.7, maxWords: 6 };
  const photos = { features, featureSize: spec.featureSize };
  const said = await captionFeatures(model, photos, { vocabulary, search, beam: 3 });
  return said.map((caption) => caption.join(" "));
}

test("what is rehearsed is still said after something new was learnt, and forgotten without", async () => {
  const start = await learn(initialValues(spec, 1), dataOf(earlier), recipeOf({ epochs: 30, weight: 0 }));
  expect(await say(start, earlier)).toEqual(earlier.captions);
  const rehearsal = {
    ...spec,
    features: earlier.features,
    captions: earlier.captions.map((text) => [text.split(" ")]),
  };
  const distillation = new Distillation(rehearsal, { spec, start, vocabulary, known, learnt: own.features });
  onTestFinished(() => distillation.dispose());

  const keptBy = async (values: MergeValues) =>
    (await say(values, earlier)).filter((caption, photo) => caption === earlier.captions[photo]).length;
  const forgetful = await learn(start, dataOf(own), recipeOf({ epochs: 30, weight: 0 }));
  expect(await say(forgetful, own)).toEqual(own.captions);
  expect(await keptBy(forgetful)).toBe(0);

  const tensors = memory().numTensors;
  const values = await learn(start, { ...dataOf(own), distillation }, recipeOf({ epochs: 50, weight: 1 }));
  expect(await say(values, own)).toEqual(own.captions);
  expect(await keptBy(values)).toBeGreaterThanOrEqual(3);
  expect(memory().numTensors - tensors).toBeLessThan(60); // those of the trainer, which steps add none to
}, 60_000);

test("the teacher gives each word of a caption probabilities of every word it knew, and none to a new one", () => {
  const start = initialValues(spec, 1);
  start["word_probabilities/bias"][known] = 9; // however likely it would be
  const rehearsal = { ...spec, features: earlier.features, captions: [[["a", "dog"]], [[]], [["a"]], [["a", "cat"]]] };
  const distillation = new Distillation(rehearsal, { spec, start, vocabulary, known, learnt: own.features });
  onTestFinished(() => distillation.dispose());
  const { batch, targetsOf } = distillation.draw(4, { spec, dropout: spec.dropout, random: randomFor(1) });
  expect([batch.rows, batch.steps]).toEqual([4, 3]);
  const targets = targetsOf();
  const rows = targets.arraySync();
  targets.dispose();
  expect(rows).toHaveLength(batch.rows * batch.steps);
  for (const row of rows) {
    expect(row.reduce((sum, share) => sum + share)).toBeCloseTo(1, 5);
    expect(row[known]).toBe(0);
  }
});
