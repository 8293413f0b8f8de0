import "@tensorflow/tfjs-backend-cpu";
import { expect, test } from "vitest";
import { openBundle } from "../../../captioner/bundle.ts";
import { toEvidenceFiles } from "../../../training/evidence/evidence-network.ts";
import { evidenceOf } from "../../../training/evidence/strength.ts";
import { chooseSearch } from "../../../training/export/choose-search.ts";
import { mergeModel, readMergeModel } from "../../../training/fit/merge-model.ts";
import { Scorer } from "../../../training/fit/scorer.ts";
import { randomFor, uniform } from "../../../training/keyed-random.ts";
import { type ModelFiles, parseModel, toLayersFormat } from "../../../training/layers-format.ts";
import { beginRun } from "../../../training/run-stages.ts";
import { defaultSettings } from "../../../training/settings.ts";
import { tinyBundle } from "../../fixtures/bundles.ts";

const count = 200;

/** Made features of photos, with captions of the tiny bundle's own words, some short and some long. */
async function madeDev() {
  const { vocabulary, manifest } = await openBundle(tinyBundle);
  const { featureSize } = manifest.encoder;
  const words = vocabulary.words.slice(3);
  const photos = Array.from({ length: count }, (_, index) => {
    const texts = [4, 9].map((length) =>
      Array.from({ length }, (_, at) => words[(7 * index + at) % words.length]).join(" "),
    );
    const captions = texts.map((text) => ({ text, words: text.split(" ") }));
    return { id: `${index}`, file: `${index}.jpg`, sha256: "a".repeat(64), split: "dev" as const, captions };
  });
  const features = uniform(randomFor("dev"), { size: count * featureSize, limit: 0.5 }).map(Math.abs);
  return {
    dev: { photos, featureSize, features },
    training: [],
    decoder: await readyToEnd(),
    detectors: undefined,
    vocabulary,
  };
}

/** The tiny bundle's decoder, which hardly ever ends a caption by itself, made likelier to. */
async function readyToEnd(): Promise<ModelFiles> {
  const bundle = await openBundle(tinyBundle);
  const { sizes, values } = readMergeModel(bundle.readDecoder());
  const bias = values["word_probabilities/bias"].map((value, id) =>
    id === bundle.vocabulary.endId ? value + 3 : value,
  );
  const spec = { ...sizes, dropout: { image: 0, words: 0, merge: 0 } };
  return toLayersFormat(mergeModel(spec, { ...values, "word_probabilities/bias": bias }));
}

const request = { data: [], out: "", settings: { ...defaultSettings, maxWords: 10 } };
const context = beginRun(request);

test("the length penalty is the one whose captions have the highest CIDEr on dev", async () => {
  const made = await madeDev();
  const { search: chosen } = await chooseSearch(context, made);
  const { repetition } = chosen;
  const scored = await Promise.all(
    [0.5, 0.7, 0.9, 1.1, 1.3].map(async (lengthPenalty) => {
      const search = { lengthPenalty, maxWords: 10, repetition };
      const { scores } = await new Scorer(made.dev, { vocabulary: made.vocabulary, search }).score(made.decoder, 3);
      return { search, cider: scores.cider };
    }),
  );
  const highest = Math.max(...scored.map(({ cider }) => cider));
  expect(Math.min(...scored.map(({ cider }) => cider))).toBeLessThan(highest); // there is something to choose
  expect(chosen).toEqual(scored.find(({ cider }) => cider === highest)?.search);
});

test("word evidence has the least strength whose captions have nearly the highest CIDEr, and none if that is enough", async () => {
  const made = await madeDev();
  const { featureSize } = made.dev;
  const concepts = ["dog", "cat", "grass"].map((concept) => ({ concept, recall: 0.5, isReliable: true }));
  const random = (what: string, size: number) => uniform(randomFor(what), { size, limit: 0.3 });
  const detectors = { concepts, kernel: random("kernel", 3 * featureSize), bias: new Float32Array(3) };
  const chosen = await chooseSearch(context, { ...made, detectors });
  const ciderAt = async (strength: number) => {
    const files = await toEvidenceFiles(evidenceOf(detectors, { vocabulary: made.vocabulary, strength }));
    const settings = { vocabulary: made.vocabulary, search: chosen.search };
    const evidence = strength === 0 ? undefined : parseModel(files);
    return (await new Scorer(made.dev, { ...settings, evidence }).score(made.decoder, 3)).scores.cider;
  };
  const scored = new Map<number, number>();
  for (const strength of [0, 0.5, 0.75, 1, 1.5]) scored.set(strength, await ciderAt(strength));
  expect(new Set(scored.values()).size).toBeGreaterThan(1); // there is something to choose
  const enough = Math.max(...scored.values()) - 0.01;
  expect(chosen.strength ?? 0).toBe([...scored].find(([, cider]) => cider >= enough)?.[0]);
  expect(chosen.evidence === undefined).toBe(chosen.strength === undefined);
});

test("it stays as it was with few dev photos", async () => {
  const made = await madeDev();
  const { photos, featureSize, features } = made.dev;
  const few = { photos: photos.slice(1), featureSize, features: features.slice(featureSize) };
  expect(await chooseSearch(context, { ...made, dev: few })).toMatchObject({
    search: { lengthPenalty: 0.7, maxWords: 10 },
  });
});

test("all of it stays as it was for training that goes on from a bundle, and for the tutorial's", async () => {
  const made = await madeDev();
  const { manifest } = await openBundle(tinyBundle);
  const later = beginRun({ ...request, settings: { ...request.settings, from: tinyBundle } });
  expect(await chooseSearch(later, made)).toEqual({ search: { ...manifest.search, maxWords: 10 } });
  const tutorial = beginRun({ ...request, settings: { ...request.settings, preset: "tutorial" } });
  expect(await chooseSearch(tutorial, made)).toEqual({ search: { lengthPenalty: 0.7, maxWords: 10 } });
});

test("words cost where they are repeated, but for those of the closed classes and those that people repeat", async () => {
  const made = await madeDev();
  const said = (text: string) => Array.from({ length: 20 }, () => ({ text, words: text.split(" ") }));
  const photo = { id: "1", file: "1.jpg", sha256: "a".repeat(64), split: "train" as const };
  const training = [
    { ...photo, captions: [...said("brown dog and brown grass"), ...said("a dog runs")] },
    { ...photo, captions: said("grass grass"), hasPseudoCaptions: true as const },
  ];
  const { repetition } = (await chooseSearch(context, { ...made, training })).search;
  const repeatable = repetition?.except.map((id) => made.vocabulary.words[id]);
  expect(repetition?.penalty).toBe(2);
  expect(repeatable).toEqual(expect.arrayContaining(["a", "brown"]));
  for (const word of ["dog", "grass", "runs", ""]) expect(repeatable).not.toContain(word);
});
