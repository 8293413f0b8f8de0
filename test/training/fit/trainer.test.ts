import "@tensorflow/tfjs-backend-cpu";
import { memory, setBackend } from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { parseLayersModel } from "../../../captioner/networks/layers-model.ts";
import { parseVocabulary } from "../../../shared/vocabulary.ts";
import { decodeFeatures } from "../../../training/fit/decode-features.ts";
import { initialValues, type MergeSpec, mergeModel } from "../../../training/fit/merge-model.ts";
import type { TrainingData } from "../../../training/fit/plan-steps.ts";
import { epochsOf, type Recipe } from "../../../training/fit/recipe.ts";
import { CiderReward } from "../../../training/fit/self-critical.ts";
import { Trainer } from "../../../training/fit/trainer.ts";
import { toLayersFormat } from "../../../training/layers-format.ts";

beforeAll(() => setBackend("cpu"));

const spec: MergeSpec = {
  ...{ featureSize: 16, vocabularySize: 30, embeddingSize: 12, units: 24, maxCaptionLength: 9 },
  dropout: { image: 0, words: 0, merge: 0 },
};
const startId = 1;
const endId = 2;

/** Eight photos, each with a caption of its own, of which some begin alike. */
const data: TrainingData = {
  captions: Array.from({ length: 8 }, (_, photo) => ({
    photo,
    ids: [startId, 3 + (photo % 2), 5 + (photo % 3), 10 + photo, ...new Array(photo % 4).fill(20 + photo), endId],
  })),
  features: Float32Array.from({ length: 8 * spec.featureSize }, (_, index) => Math.abs(Math.sin(index * index))),
};

function recipeOf(
  changes: Partial<Recipe> & { epochs?: number; learningRate?: number; captions?: number } = {},
): Recipe {
  const { epochs = 2, learningRate = 0.01, captions = 4, ...others } = changes;
  return {
    phases: [{ epochs, batch: { captions }, learningRate, schedule: "constant" }],
    dropout: spec.dropout,
    labelSmoothing: 0,
    keeps: "last epoch",
    ...others,
  };
}

/** Everything that a run can do at once. */
const rich = recipeOf({
  dropout: { image: 0.5, words: 0.25, merge: 0.5 },
  labelSmoothing: 0.1,
  maxGradientNorm: 0.5,
  averageDecay: 0.9,
});

function settingsOf(recipe: Recipe, { isEmbeddingTuned = true } = {}) {
  return { spec: { ...spec, dropout: recipe.dropout }, recipe, seed: 7, isEmbeddingTuned };
}

function begin(recipe: Recipe, options?: { isEmbeddingTuned: boolean }): Trainer {
  const trainer = new Trainer(settingsOf(recipe, options), initialValues(spec, 7));
  onTestFinished(() => trainer.dispose());
  return trainer;
}

/** Runs epochs, numbered from 1, but for the first `from`. Returns the losses, or rewards. */
async function runEpochs(trainer: Trainer, recipe: Recipe, { from = 0, on = data } = {}): Promise<number[]> {
  const losses: number[] = [];
  for (const [index, phaseEpoch] of epochsOf(recipe).entries()) {
    if (index < from) continue;
    const { loss, reward } = await trainer.runEpoch(on, { number: index + 1, phaseEpoch, onStep: () => {} });
    losses.push(loss ?? reward ?? Number.NaN);
  }
  return losses;
}

describe("a trainer", () => {
  test("begins with a loss near ln of the vocabulary's size", async () => {
    const recipe = recipeOf({ epochs: 1, captions: 8 });
    const [loss = 0] = await runEpochs(begin(recipe), recipe);
    expect(Math.abs(loss - Math.log(spec.vocabularySize))).toBeLessThan(0.1);
  });

  test("learns eight captions by heart, and the service's search then says them", async () => {
    const recipe = recipeOf({ epochs: 120, learningRate: 0.02, captions: 8 });
    const trainer = begin(recipe);
    const losses = await runEpochs(trainer, recipe);
    expect(losses.at(-1)).toBeLessThan(0.02);
    const { topology, weights } = await toLayersFormat(mergeModel(spec, trainer.values()));
    const model = parseLayersModel({ topology, readWeights: () => weights });
    const search = { startId, endId, lengthPenalty: 0.7, maxWords: 10 };
    const found = await decodeFeatures(model, data.features, { ...spec, ...search, beam: 1 });
    expect(found.map(({ words }) => words)).toEqual(data.captions.map(({ ids }) => ids.slice(1, -1)));
  });

  test("that goes on from its state has the very bits of one that was not interrupted", async () => {
    const recipe = { ...rich, phases: recipeOf({ epochs: 3 }).phases };
    const undisturbed = begin(recipe);
    await runEpochs(undisturbed, recipe);

    const first = begin(recipe);
    await runEpochs(first, { ...recipe, phases: recipeOf({ epochs: 1 }).phases });
    const second = await Trainer.resume(settingsOf(recipe), await first.state());
    onTestFinished(() => second.dispose());
    await runEpochs(second, recipe, { from: 1 });
    expect(await second.state()).toEqual(await undisturbed.state());
    expect(second.values()).toEqual(undisturbed.values());
  });

  test("draws other masks with another seed", async () => {
    const losses = await Promise.all(
      [7, 8].map((seed) => {
        const trainer = new Trainer({ ...settingsOf(rich), seed }, initialValues(spec, 7));
        onTestFinished(() => trainer.dispose());
        return runEpochs(trainer, { ...rich, phases: recipeOf({ epochs: 1, captions: 8 }).phases });
      }),
    );
    expect(losses[0]).not.toEqual(losses[1]);
  });

  test("leaves word vectors as they were read, unless they are to be learnt", async () => {
    const before = initialValues(spec, 7)["embedding/embeddings"];
    for (const isEmbeddingTuned of [false, true]) {
      const trainer = begin(rich, { isEmbeddingTuned });
      await runEpochs(trainer, rich);
      const { weights } = await trainer.state();
      expect(isEmbeddingTuned).toBe(weights["embedding/embeddings"].join() !== before.join());
    }
  });

  test("scales gradients down to the norm that is allowed", async () => {
    const moved = async (maxGradientNorm: number) => {
      const recipe = recipeOf({ epochs: 1, captions: 8, maxGradientNorm });
      const trainer = begin(recipe);
      await runEpochs(trainer, recipe);
      const { first } = (await trainer.state()).moments; // a tenth of the gradient, after one step
      return Math.hypot(...Object.values(first).flatMap((values) => [...values]));
    };
    expect(await moved(0.01)).toBeCloseTo(0.001, 6);
    expect(await moved(1e6)).toBeGreaterThan(0.01);
  });

  test("averages its weights where the recipe says so", async () => {
    const trainer = begin(rich);
    await runEpochs(trainer, rich);
    const { weights, average } = await trainer.state();
    expect(trainer.values()).toEqual(average);
    expect(average).not.toEqual(weights);
  });

  test("learns from mirror images, too, where there are some", async () => {
    const recipe = recipeOf(); // without dropout, which would be drawn otherwise
    const on = (mirrored: Float32Array) => runEpochs(begin(recipe), recipe, { on: { ...data, mirrored } });
    const without = await runEpochs(begin(recipe), recipe);
    expect(await on(data.features)).toEqual(without);
    expect(await on(data.features.map((value) => value + 1))).not.toEqual(without);
  });

  test("learns from captions of its own which of them are rewarded, and resumes in the middle of it bit for bit", async () => {
    const words = ["", "startseq", "endseq", ..."abcdefghijklmnopqrstuvwxyzA"];
    const vocabulary = parseVocabulary(words);
    const references = data.captions.map(({ ids }) => [vocabulary.decode(ids)]);
    const on = { ...data, rewardInputs: () => ({ reward: new CiderReward(references), vocabulary, maxWords: 8 }) };
    const recipe: Recipe = {
      ...recipeOf({ epochs: 20, captions: 8, averageDecay: 0.9 }),
      phases: [
        { epochs: 20, batch: { captions: 8 }, learningRate: 0.01, schedule: "constant" },
        {
          epochs: 25,
          batch: { photos: 4, samples: 5, anchor: 0.1, pseudoAnchor: 0.3 },
          learningRate: 0.01,
          schedule: "constant",
        },
      ],
    };
    const taught = begin(recipe);
    await runEpochs(taught, { ...recipe, phases: recipe.phases.slice(0, 1) }, { on });
    const phase = { ...recipe, phases: recipe.phases.slice(1) };
    const trainer = new Trainer(settingsOf(recipe), taught.values());
    onTestFinished(() => trainer.dispose());
    const rewards = await runEpochs(trainer, phase, { on });
    expect(rewards.at(-1)).toBeGreaterThan(1.3 * (rewards[0] ?? Number.NaN));

    const halfway = new Trainer(settingsOf(recipe), taught.values());
    onTestFinished(() => halfway.dispose());
    await runEpochs(halfway, { ...phase, phases: phase.phases.map((whole) => ({ ...whole, epochs: 5 })) }, { on });
    const resumed = await Trainer.resume(settingsOf(recipe), await halfway.state());
    onTestFinished(() => resumed.dispose());
    await runEpochs(resumed, phase, { on, from: 5 });
    expect(resumed.values()).toEqual(trainer.values());
  }, 60_000);

  test("draws no captions for photos with pseudo-captions, and goes on learning those", async () => {
    const vocabulary = parseVocabulary(["", "startseq", "endseq", ..."abcdefghijklmnopqrstuvwxyzA"]);
    const captions = data.captions.map((caption) =>
      caption.photo < 3 ? caption : { ...caption, isPseudo: true as const },
    );
    const asked = new Set<number>();
    const reward = new CiderReward(data.captions.map(({ photo, ids }) => (photo < 3 ? [vocabulary.decode(ids)] : [])));
    const watched = { of: (photo: number, words: string[]) => asked.add(photo) && reward.of(photo, words) };
    const on = { ...data, captions, rewardInputs: () => ({ reward: watched as CiderReward, vocabulary, maxWords: 8 }) };
    const learnOn = async (pseudoAnchor: number) => {
      const batch = { photos: 3, samples: 4, anchor: 0.1, pseudoAnchor };
      const recipe = {
        ...recipeOf(),
        phases: [{ epochs: 2, batch, learningRate: 0.01, schedule: "constant" }],
      } as const;
      const trainer = begin(recipe);
      await runEpochs(trainer, recipe, { on });
      const pseudo = { ...data, captions: captions.filter(({ isPseudo }) => isPseudo) };
      const [loss = Number.NaN] = await runEpochs(trainer, recipeOf({ epochs: 1, captions: 8 }), { on: pseudo });
      return loss;
    };
    const held = await learnOn(1);
    expect([...asked].toSorted()).toEqual([0, 1, 2]);
    expect(held).toBeLessThan(0.95 * (await learnOn(1e-6)));
  }, 60_000);

  test("keeps no tensor but its own over steps and epochs", async () => {
    const trainer = begin(rich);
    await runEpochs(trainer, rich);
    const before = memory().numTensors;
    await runEpochs(trainer, rich);
    for (let count = 0; count < 3; count++) await trainer.state();
    expect(memory().numTensors).toBe(before);
  });
});
