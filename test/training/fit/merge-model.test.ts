import "@tensorflow/tfjs-backend-cpu";
import { setBackend } from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { parseLayersModel } from "../../../captioner/networks/layers-model.ts";
import { countDecoderParameters } from "../../../training/export/model-card.ts";
import { initialValues, mergeModel, readMergeModel, summarize } from "../../../training/fit/merge-model.ts";
import { toLayersFormat } from "../../../training/layers-format.ts";
import { tinySpec, tinyValues } from "./tiny-merge-model.ts";

beforeAll(() => setBackend("cpu"));

const tutorialSpec = {
  ...{ featureSize: 2048, vocabularySize: 1652, embeddingSize: 200, units: 256, maxCaptionLength: 34 },
  dropout: { image: 0.5, words: 0.5, merge: 0 },
};

test("has the tutorial's layers and its 1 813 268 parameters at 1652 words and 200 dimensions", () => {
  const summary = summarize(tutorialSpec);
  expect(summary).toContain("Total params: 1813268\n");
  const layers = [
    ...["image_features", "image_dropout", "image_dense", "words", "embedding", "words_dropout", "lstm"],
    ...["merge", "dense", "word_probabilities"],
  ];
  for (const name of layers) expect(summary).toContain(`${name} (`);
  for (const count of [330400, 524544, 467968, 65792, 424564]) expect(summary).toMatch(new RegExp(` ${count} `));
  expect(countDecoderParameters(initialValues(tutorialSpec, 1))).toBe(1_813_268);
});

test("is read back from its files with the sizes and the very weights that it was saved with", async () => {
  const values = tinyValues();
  const { topology, weights } = await toLayersFormat(mergeModel(tinySpec, values));
  const read = readMergeModel(parseLayersModel({ topology, readWeights: () => weights }));
  const { dropout: _, ...sizes } = tinySpec;
  expect(read).toEqual({ sizes, values });
});
