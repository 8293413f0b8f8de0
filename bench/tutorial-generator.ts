import { dispose, oneHot, type Tensor, tensor2d, tidy } from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { TrainingCaption } from "../training/fit/batches.ts";
import { type MergeSpec, type MergeValues, mergeModel } from "../training/fit/merge-model.ts";

/**
 * Training as the tutorial does it, on TensorFlow.js' own layers: a photo and a padded prefix for every word, with
 * `trainOnBatch`.
 */
export class TutorialTraining {
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
