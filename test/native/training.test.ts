import { getBackend, memory } from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { readNativeSetup } from "../../captioner/engines/native-setup.ts";
import { startBackend } from "../../training/fit/backend.ts";
import { initialValues, weightNames } from "../../training/fit/merge-model.ts";
import { recipes } from "../../training/fit/presets.ts";
import { epochsOf } from "../../training/fit/recipe.ts";
import { Trainer } from "../../training/fit/trainer.ts";
import { largestDifference } from "../fixtures/vectors.ts";
import { expandedPrefixes, teacherForcing } from "../training/fit/expanded-prefixes.ts";
import { tinySpec, tinyValues } from "../training/fit/tiny-merge-model.ts";

describe.skipIf(readNativeSetup() === undefined)("training on TensorFlow (needs the native engine)", () => {
  beforeAll(async () => {
    expect(await startBackend()).toMatch(/^TensorFlow/);
  });

  test.each([0, 0.1])(
    "has the loss and gradients of the expanded prefixes, with label smoothing %d",
    async (labelSmoothing) => {
      const values = tinyValues();
      const found = await teacherForcing(values, { backend: "tensorflow", labelSmoothing });
      expect(getBackend()).toBe("tensorflow");
      const expected = await expandedPrefixes(values, labelSmoothing);
      expect(found.loss).toBeCloseTo(expected.loss, 5);
      for (const name of weightNames) {
        expect(largestDifference(found.gradients[name], expected.gradients[name]), name).toBeLessThan(1e-5);
      }
    },
  );

  test("keeps no tensor but its own over steps and epochs", async () => {
    await startBackend();
    const recipe = recipes.default;
    const trainer = new Trainer(
      { spec: tinySpec, recipe, seed: 1, isEmbeddingTuned: true },
      initialValues(tinySpec, 1),
    );
    const captions = Array.from({ length: 500 }, (_, index) => ({ photo: index % 8, ids: [1, 3 + (index % 9), 2] }));
    const data = { captions, features: new Float32Array(8 * tinySpec.featureSize).fill(0.5) };
    const runEpoch = async (number: number) => {
      const [phaseEpoch] = epochsOf(recipe);
      if (phaseEpoch !== undefined) await trainer.runEpoch(data, { number, phaseEpoch, onStep: () => {} });
    };
    await runEpoch(1);
    const warm = memory().numTensors;
    for (let number = 2; number < 50; number++) await runEpoch(number);
    await trainer.state();
    expect(memory().numTensors).toBe(warm);
    trainer.dispose();
  });
});
