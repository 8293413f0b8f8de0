import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Bundle, openBundle } from "../../captioner/bundle.ts";
import { readEvidenceNetwork } from "../../training/evidence/evidence-network.ts";
import { exportBundle } from "../../training/export.ts";
import { features } from "../../training/features.ts";
import { readMergeModel } from "../../training/fit/merge-model.ts";
import type { EpochMetrics } from "../../training/fit/metrics.ts";
import { fit } from "../../training/fit.ts";
import { prepare } from "../../training/prepare.ts";
import { beginRun, isUpToDate, runStages } from "../../training/run-stages.ts";
import { defaultSettings, type TrainSettings } from "../../training/settings.ts";
import type { TrainRequest } from "../../training/stage.ts";
import { sealBundle } from "../../training/write-bundle.ts";
import { copyTinyBundle, temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";
import { copyGuidedBundle } from "../fixtures/guided-bundle.ts";
import { largestDifference } from "../fixtures/vectors.ts";
import { type Asked, makeData, train } from "./run-training.ts";

async function metricsOf({ out }: TrainRequest): Promise<EpochMetrics[]> {
  const lines = (await readFile(join(out, "fit", "metrics.jsonl"), "utf8")).trim().split("\n");
  return lines.map((line) => JSON.parse(line));
}

async function decoderOf(folder: string) {
  return readMergeModel((await openBundle(folder)).readDecoder());
}

describe("fit", () => {
  test("writes what each epoch gave: loss, learning rate, dev scores, captions of dev photos", async () => {
    const context = await train({});
    const metrics = await metricsOf(context);
    expect(metrics.map(({ epoch }) => epoch)).toEqual([1, 2]);
    for (const { loss, dev, samples } of metrics) {
      expect(loss).toBeGreaterThan(0);
      expect(Object.keys(dev)).toEqual(["greedy", "beam 3"]);
      expect(samples).toEqual([{ photo: "2.jpg", caption: expect.any(String) }]);
    }
    expect(context.said).toMatch(/epoch 2 of 2: loss \d\.\d+, dev CIDEr [\d.]+ greedy, [\d.]+ beam 3/);
    expect(context.said).toMatch(/fit: on (TensorFlow|WebAssembly)/);
  });

  test("makes do without dev photos: the last epoch is then the best, and the card says that there are no scores", async () => {
    const context = await train({ data: await makeData(["train", "train"]) });
    expect((await metricsOf(context))[1]?.dev).toEqual({});
    const { manifest } = await openBundle(join(context.out, "bundle"));
    expect(manifest.scores).toEqual([]);
    expect(await readFile(join(context.out, "bundle", "README.md"), "utf8")).toContain("None: the data have neither");
  });

  test("keeps word vectors of any dimension as they were read, and learns them on when asked to", async () => {
    const path = join(await temporaryFolder(), "vectors.txt");
    await writeFile(path, "dog 1 2 3 4 5\nzebra 5 4 3 2 1\n");
    const vectorsOf = async (settings: Asked) => {
      const { out } = await train({ wordVectors: path, ...settings });
      const { vocabulary } = await openBundle(join(out, "bundle"));
      const { sizes, values } = await decoderOf(join(out, "bundle"));
      expect(sizes.embeddingSize).toBe(5);
      const id = vocabulary.idOf("zebra") ?? Number.NaN;
      return [...values["embedding/embeddings"].subarray(5 * id, 5 * id + 5)];
    };
    expect(await vectorsOf({})).toEqual([5, 4, 3, 2, 1]);
    expect(await vectorsOf({ tuneEmbeddings: true })).not.toEqual([5, 4, 3, 2, 1]);
  });

  test("is done again when what it depends on is another, and only then", async () => {
    const context = await train({});
    expect(await isUpToDate(fit, beginRun(context))).toBe(true);
    const wordVectors = join(await temporaryFolder(), "vectors.txt");
    await writeFile(wordVectors, "dog 1 2\n");
    const others: Partial<TrainSettings>[] = [
      ...[{ seed: 2 }, { epochs: 3 }, { units: 8 }, { preset: "tutorial" as const }, { maxWords: 9 }, { flips: true }],
      ...[{ wordVectors }, { from: tinyBundle }, { encoder: defaultSettings.encoder }],
    ];
    for (const other of others) {
      expect(await isUpToDate(fit, beginRun({ ...context, settings: { ...context.settings, ...other } }))).toBe(false);
    }
    const renamed = beginRun({ ...context, settings: { ...context.settings, id: "another" } });
    expect(await isUpToDate(fit, renamed)).toBe(true);
    expect(await isUpToDate(exportBundle, renamed)).toBe(false);
  });

  test("says which stage comes first", async () => {
    await expect(train({ stages: [fit] })).rejects.toThrow("run the stage prepare first");
    await expect(train({ stages: [prepare, fit] })).rejects.toThrow("run the stage features first");
    await expect(train({ stages: [prepare, features, exportBundle] })).rejects.toThrow("run the stage fit first");
  });

  test("stops with a sentence when the loss became NaN", async () => {
    const path = join(await temporaryFolder(), "vectors.txt");
    await writeFile(path, "dog 3e38 3e38\nzebra 3e38 -3e38\n");
    await expect(train({ wordVectors: path })).rejects.toThrow("epoch 1: the loss became NaN: lower --learning-rate");
  });
});

describe("training that goes on from a bundle", () => {
  test("keeps the bundle's words and ids, adds the new ones, and begins with what it knows", async () => {
    const before = await openBundle(tinyBundle);
    const context = await train({ from: tinyBundle, learningRate: 1e-9 });
    const after = await openBundle(join(context.out, "bundle"));
    const known = before.vocabulary.size;
    expect(after.vocabulary.words.slice(0, known)).toEqual(before.vocabulary.words);
    expect(after.vocabulary.words.slice(known)).toEqual(["green", "zebra", "stand"]); // it has "stands"
    const [old, now] = [await decoderOf(tinyBundle), await decoderOf(join(context.out, "bundle"))];
    expect(now.sizes).toEqual({ ...old.sizes, vocabularySize: known + 3, maxCaptionLength: 13 });
    const { units } = old.sizes;
    for (const unit of [0, units - 1]) {
      const row = now.values["word_probabilities/kernel"].subarray(unit * (known + 3), unit * (known + 3) + known);
      const expected = old.values["word_probabilities/kernel"].subarray(unit * known, (unit + 1) * known);
      for (const [index, value] of row.entries()) expect(value).toBeCloseTo(expected[index] ?? Number.NaN, 5);
    }
    const same = ["lstm/kernel", "lstm/recurrent_kernel", "image_dense/kernel", "dense/bias"] as const;
    for (const name of same) {
      for (const [index, value] of now.values[name].entries()) {
        expect(value, name).toBeCloseTo(old.values[name][index] ?? Number.NaN, 5);
      }
    }
    expect(after.manifest.provenance.at(-1)).toBe(`Went on from tiny, revision ${before.revision}.`);
  });

  test("learns the new words", async () => {
    const captions = ["A zebra .", "A zebra .", "A zebra ."];
    const data = await makeData(["train", "train", "dev"], captions);
    const context = await train({ data, from: tinyBundle, epochs: 4, learningRate: 0.01 });
    const [metrics] = (await metricsOf(context)).slice(-1);
    expect(metrics?.samples[0]?.caption).toBe("a zebra");
  });

  test("says what it learnt and at what cost, and keeps what it knew where the bundle carries a rehearsal", async () => {
    const dogs = ["A brown dog runs on the grass .", "A brown dog runs .", "A brown dog runs on the grass ."];
    const first = await train({
      data: await makeData(["train", "train"], dogs),
      from: tinyBundle,
      epochs: 3,
      learningRate: 0.01,
    });
    expect(first.said).toContain(`fit: ${tinyBundle} carries nothing to rehearse`);
    const from = join(first.out, "bundle");
    const data = await makeData(["train", "train", "train"], ["A zebra .", "A zebra .", "A zebra ."], { seed: 2 });
    const { out, said } = await train({ data, from, epochs: 4, learningRate: 0.01 });
    expect(said).not.toContain("nothing to rehearse");
    expect(said).toContain("learnt: 3 of 3 training photos have another caption than before\n");
    expect(said).toContain("new words: zebra (in 9 captions learnt; said of 3 of 3 photos)\n");
    expect(said).toContain("elsewhere: 0 of 2 rehearsed photos have another caption than before\n");
    expect(JSON.parse(await readFile(join(out, "fit", "learnt.json"), "utf8"))).toEqual({
      own: { photos: 3, changed: 3 },
      newWords: [{ word: "zebra", captions: 9, said: 3 }],
      rehearsal: { photos: 2, changed: 0 },
      dev: [],
    });
  }, 60_000);

  test("gives new words the evidence of what their photos show, beside the bundle's own", async () => {
    const from = await copyGuidedBundle();
    const { out } = await train({ from });
    const [before, after] = [await openBundle(from), await openBundle(join(out, "bundle"))];
    const evidenceOf = (bundle: Bundle) => {
      const network = bundle.readEvidence();
      if (network === undefined) throw new Error("expected word evidence");
      return readEvidenceNetwork(network);
    };
    const [old, now] = [evidenceOf(before), evidenceOf(after)];
    expect(now.vocabularySize).toBe(after.vocabulary.size);
    expect(largestDifference(now.detectors.kernel, old.detectors.kernel)).toBeLessThan(1e-6);
    expect([...now.words.bias.subarray(0, old.vocabularySize)]).toEqual([...old.words.bias]);
  });

  test("warns where nothing was learnt", async () => {
    const { said } = await train({ from: tinyBundle, learningRate: 1e-9, minCount: 10 });
    expect(said).toContain("learnt: 0 of 2 training photos have another caption than before\nno new words\n");
    expect(said).toContain(
      "warning: nothing was learnt: all 2 training photos have the captions that they had before.",
    );
  });

  test("takes a handful of words for enough, since it knows others", async () => {
    const data = await makeData(["train", "train"], ["A dog .", "A zebra .", "A zebra ."]);
    await expect(train({ data, stages: [prepare] })).rejects.toThrow("expected at least 10 words");
    expect((await train({ data, stages: [prepare], from: tinyBundle })).said).toMatch(/vocabulary size.* \d\d\n/);
  });

  test("refuses captions that were cleaned differently, and words that prepare did not begin with", async () => {
    await expect(train({ from: tinyBundle, cleaning: "tutorial" })).rejects.toThrow(
      `${tinyBundle}: its captions were cleaned differently: use --cleaning natural`,
    );
    const context = await train({ stages: [prepare, features] });
    const later = { ...context, settings: { ...context.settings, from: tinyBundle } };
    await expect(runStages([fit], later)).rejects.toThrow(
      "its words are not the first of the vocabulary: run prepare with the same",
    );
  });

  test("refuses a decoder of another kind, by its folder", async () => {
    const from = await copyTinyBundle();
    const path = join(from, "decoder", "model.json");
    await writeFile(path, (await readFile(path, "utf8")).replace('"activation":"tanh"', '"activation":"relu"'));
    await sealBundle(from);
    await expect(train({ from })).rejects.toThrow(
      new RegExp(`^${from}: layer \\w+: expected an LSTM of tanh and sigmoid, found relu and sigmoid$`),
    );
  });

  test("searches as the bundle does", async () => {
    const from = await copyTinyBundle();
    const manifest = JSON.parse(await readFile(join(from, "manifest.json"), "utf8"));
    await writeFile(
      join(from, "manifest.json"),
      JSON.stringify({ ...manifest, search: { lengthPenalty: 0.9, maxWords: 7 } }),
    );
    const { out } = await train({ from, maxWords: 12 });
    const { manifest: exported } = await openBundle(join(out, "bundle"));
    expect(exported.search).toEqual({ lengthPenalty: 0.9, maxWords: 12 });
  });
});
