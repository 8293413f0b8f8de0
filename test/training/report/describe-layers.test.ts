import { expect, test } from "vitest";
import { defaultModelDir, openBundle } from "../../../captioner/bundle.ts";
import { countByClass, countParameters, describeLayers } from "../../../training/report/describe-layers.ts";

test("gives each layer of the shipped decoder its class, output shape and parameters", async () => {
  const bundle = await openBundle(defaultModelDir);
  const { vocabulary, manifest } = bundle;
  const words = vocabulary.size;
  const length = manifest.maxCaptionLength;
  const layers = describeLayers(bundle.readDecoder()).filter(({ kind }) => kind !== "Dropout");
  const byKind = layers.map(({ kind, shape, parameters }) => [kind, shape, parameters]);
  const embedding = layers.find(({ kind }) => kind === "Embedding")?.shape?.[2] ?? Number.NaN;
  const units = layers.find(({ kind }) => kind === "Add")?.shape?.[1] ?? Number.NaN;
  expect(byKind).toEqual(
    expect.arrayContaining([
      ["InputLayer", [null, length], 0],
      ["InputLayer", [null, 2048], 0],
      ["Embedding", [null, length, embedding], words * embedding],
      ["Dense, relu", [null, units], 2048 * units + units],
      ["LSTM, tanh", [null, units], 4 * units * (embedding + units + 1)],
      ["Add", [null, units], 0],
      ["Dense, relu", [null, units], units * units + units],
      ["Dense, softmax", [null, words], units * words + words],
    ]),
  );
  expect(layers.find(({ kind }) => kind === "Add")?.inputs).toHaveLength(2);
});

test("sums the encoder up by class", async () => {
  const encoder = (await openBundle(defaultModelDir)).readEncoder();
  expect(countParameters(encoder)).toBe(21_802_784);
  const classes = countByClass(encoder);
  expect(classes.reduce((sum, { layers }) => sum + layers, 0)).toBe(312);
  expect(classes).toContainEqual({ name: "Conv2D", layers: 94, parameters: 21_751_136 });
});
