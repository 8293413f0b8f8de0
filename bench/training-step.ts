import { uniformInt } from "pure-rand/distribution/uniformInt";
import { readNativeSetup } from "../captioner/engines/native-setup.ts";
import { startBackend } from "../training/fit/backend.ts";
import { photoBatches, type TrainingCaption } from "../training/fit/batches.ts";
import { initialValues, type MergeSpec } from "../training/fit/merge-model.ts";
import { recipes } from "../training/fit/presets.ts";
import { epochsOf, type Recipe } from "../training/fit/recipe.ts";
import { Trainer } from "../training/fit/trainer.ts";
import { randomFor, uniform } from "../training/keyed-random.ts";
import { type Bench, timeInTurns } from "./bench.ts";
import { TutorialTraining } from "./tutorial-generator.ts";

/** Flickr8k's sizes. */
const spec: MergeSpec = {
  ...{ featureSize: 2048, vocabularySize: 1652, embeddingSize: 200, units: 256, maxCaptionLength: 34 },
  dropout: recipes.tutorial.dropout,
};
const captionsAPhoto = 5;
const photos = 180;
const peerPhotos = 9;

export const trainingStep: Bench = {
  name: "training-step",
  about: "the tutorial's generator, 3 photos a step, ÷ our training, time a caption, same backend; at least 10",
  async run() {
    if (readNativeSetup() === undefined) return "the native engine is not set up: npm run setup:native";
    await startBackend();
    const data = { captions: drawCaptions(), features: drawFeatures() };
    const values = initialValues(spec, 1);
    const recipe: Recipe = recipes.default;
    const trainer = new Trainer(
      { spec: { ...spec, dropout: recipe.dropout }, recipe, seed: 1, isEmbeddingTuned: true },
      values,
    );
    const tutorial = new TutorialTraining({ spec, values, features: data.features });
    const [phaseEpoch] = epochsOf(recipe);
    if (phaseEpoch === undefined) throw new Error("expected a recipe of at least one epoch");
    const peerCaptions = peerPhotos * captionsAPhoto;
    const { oursMs, peerMs } = await timeInTurns(3, {
      ours: () => trainer.runEpoch(data, { number: 1, phaseEpoch, onStep: () => {} }),
      async peer() {
        for (const batch of photoBatches(data.captions.slice(0, peerCaptions), 3)) await tutorial.step(batch);
      },
    });
    trainer.dispose();
    tutorial.dispose();
    const [ours, peer] = [oursMs / data.captions.length, peerMs / peerCaptions];
    return { number: peer / ours, ours: `${ours.toFixed(2)} ms a caption`, peer: `${peer.toFixed(2)} ms a caption` };
  },
};

/** As long as Flickr8k's: about eleven words, five to seventeen. */
function drawCaptions(): TrainingCaption[] {
  const random = randomFor("captions");
  return Array.from({ length: photos * captionsAPhoto }, (_, index) => {
    const words = Array.from({ length: uniformInt(random, 5, 17) }, () =>
      uniformInt(random, 15, spec.vocabularySize - 1),
    );
    return { photo: Math.floor(index / captionsAPhoto), ids: [1, ...words, 14] };
  });
}

function drawFeatures(): Float32Array {
  return uniform(randomFor("features"), { size: photos * spec.featureSize, limit: 1 }).map(Math.abs);
}
