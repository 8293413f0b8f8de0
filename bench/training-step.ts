import { dispose, oneHot, type Tensor, tensor2d, tidy } from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { readNativeSetup } from "../captioner/engines/native-setup.ts";
import { startBackend } from "../training/fit/backend.ts";
import { photoBatches, type TrainingCaption } from "../training/fit/batches.ts";
import { initialValues, type MergeSpec, type MergeValues, mergeModel } from "../training/fit/merge-model.ts";
import { recipes } from "../training/fit/presets.ts";
import { epochsOf, type Recipe } from "../training/fit/recipe.ts";
import { Trainer } from "../training/fit/trainer.ts";
import { randomFor, uniform } from "../training/keyed-random.ts";
import { type Bench, timeInTurns } from "./bench.ts";

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

/** Draws captions as long as Flickr8k's: about eleven words, five to seventeen. */
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

/**
 * Training as the tutorial does it, on TensorFlow.js' own layers: a photo and a padded prefix for every word, with
 * `trainOnBatch`.
 */
class TutorialTraining {
  readonly #spec: MergeSpec;
  readonly #model: LayersModel;
  readonly #features: Float32Array;

  constructor({ spec, values, features }: { spec: MergeSpec; values: MergeValues; features: Float32Array }) {
    this.#spec = spec;
    this.#model = mergeModel(spec, values);
    this.#model.compile({ optimizer: "adam", loss: "categoricalCrossentropy" });
    this.#features = features;
  }

  async step(captions: readonly TrainingCaption[]): Promise<void> {
    const { featureSize, maxCaptionLength, vocabularySize } = this.#spec;
    const prefixes = captions.flatMap(({ photo, ids }) =>
      ids.slice(1).map((next, index) => ({ photo, prefix: ids.slice(0, index + 1), next })),
    );
    const photos = new Float32Array(prefixes.length * featureSize);
    for (const [row, { photo }] of prefixes.entries()) {
      photos.set(this.#features.subarray(photo * featureSize, (photo + 1) * featureSize), row * featureSize);
    }
    const padded = prefixes.map(({ prefix }) => [...new Array(maxCaptionLength - prefix.length).fill(0), ...prefix]);
    const [features, words, next] = tidy((): [Tensor, Tensor, Tensor] => [
      tensor2d(photos, [prefixes.length, featureSize]),
      tensor2d(padded),
      oneHot(
        prefixes.map((prefix) => prefix.next),
        vocabularySize,
        1,
        0,
        "float32",
      ),
    ]);
    await this.#model.trainOnBatch([features, words], next);
    dispose([features, words, next]);
  }

  dispose(): void {
    this.#model.dispose();
  }
}
