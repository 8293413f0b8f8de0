import "@tensorflow/tfjs-backend-cpu";
import { memory } from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { inceptionV3 } from "../../../training/keras/inception-v3.ts";
import recorded from "../../fixtures/keras-inception-v3.json" with { type: "json" };

test.each([
  { hasClassifier: false, layers: 312, parameters: 21_802_784, output: [null, 2048] },
  { hasClassifier: true, layers: 313, parameters: 23_851_784, output: [null, 1000] },
])("has Keras' layers and parameters: $layers and $parameters", ({ hasClassifier, layers, parameters, output }) => {
  const model = inceptionV3({ hasClassifier });
  expect(model.layers).toHaveLength(layers);
  expect(model.countParams()).toBe(parameters);
  expect(model.outputShape).toEqual(output);
  model.dispose();
});

test("names its layers as Keras does, in Keras' order, however often it is made", () => {
  for (let time = 0; time < 2; time++) {
    const model = inceptionV3({ hasClassifier: false });
    expect(model.layers.map(({ name }) => name)).toEqual(recorded.layers);
    model.dispose();
  }
  const classifier = inceptionV3({ hasClassifier: true });
  expect(classifier.layers.slice(-3).map(({ name }) => name)).toEqual(["mixed10", "avg_pool", "predictions"]);
  classifier.dispose();
});

test("leaves no tensor behind", () => {
  const before = memory().numTensors;
  inceptionV3({ hasClassifier: true }).dispose();
  expect(memory().numTensors).toBe(before);
});
