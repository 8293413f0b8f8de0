import { cp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadTfjsWasm, type TfjsWasm } from "../../../bench/tfjs-wasm.ts";
import { tutorialSearch, tutorialSettings, withoutEvidence } from "../../../bench/tutorial-search.ts";
import { type FoundCaption, searchCaptions } from "../../../captioner/beam-search.ts";
import { type Bundle, defaultModelDir, openBundle } from "../../../captioner/bundle.ts";
import type { Engine } from "../../../captioner/engine.ts";
import { createOnnxEngine } from "../../../captioner/onnx/engine.ts";
import { cosine, rowsOf } from "../../../captioner/vectors.ts";
import { sealBundle } from "../../../training/write-bundle.ts";
import { temporaryFolder, tinyBundle } from "../../fixtures/bundles.ts";
import { decodedPhotos, photoNames } from "../../fixtures/real-photos.ts";
import { largestDifference } from "../../fixtures/vectors.ts";

describe.each([
  { name: "shipped", folder: defaultModelDir },
  { name: "tiny", folder: tinyBundle },
])("the onnx engine on the $name bundle", ({ folder }) => {
  let bundle: Bundle;
  let engine: Engine;
  let reference: TfjsWasm;
  let photos: Uint8Array[];
  let features: Float32Array[];

  beforeAll(async () => {
    bundle = await openBundle(folder);
    engine = await createOnnxEngine(bundle);
    reference = await loadTfjsWasm(bundle);
    photos = await decodedPhotos(bundle.manifest.preprocessing);
    features = rowsOf(await engine.encode(Buffer.concat(photos), photos.length), photos.length);
  });
  afterAll(() => engine.close());

  const search = (
    from: Engine,
    of: readonly Float32Array[],
    beam: number,
    settings: Bundle["manifest"]["search"] = bundle.manifest.search,
  ): Promise<FoundCaption[][]> => {
    const { specialIds } = bundle.manifest;
    const flat = new Float32Array(of.flatMap((vector) => [...vector]));
    const options = of.map(() => ({ beam, candidates: beam }));
    return searchCaptions(
      from,
      { features: flat, options },
      { ...settings, startId: specialIds.start, endId: specialIds.end },
    );
  };

  test("gives one vector of features a photo, none of them constant", () => {
    for (const vector of features) {
      expect(vector).toHaveLength(bundle.manifest.encoder.featureSize);
      expect(new Set(vector).size).toBeGreaterThan(100);
    }
  });

  test("agrees with TensorFlow.js' own execution of the encoder, far closer than two photos do", async () => {
    const expected = await Promise.all(photos.map((pixels) => reference.encode(pixels, 1)));
    for (const [index, vector] of features.entries()) {
      const agreement = cosine(vector, expected[index] ?? new Float32Array());
      expect(agreement, photoNames[index]).toBeGreaterThan(0.9999);
      for (const other of expected.filter((_, position) => position !== index)) {
        expect(1 - cosine(vector, other)).toBeGreaterThan(100 * (1 - agreement));
      }
    }
  });

  test("agrees with TensorFlow.js' own execution of the decoder on the padded beginning of a caption", async () => {
    const [photo = new Float32Array()] = features;
    const { start } = bundle.manifest.specialIds;
    let state = await engine.begin(photo, 1);
    const prefix = [start];
    for (const word of [4, 9, 27, 3]) {
      const count = bundle.vocabulary.size - 2; // all but padding and start
      const rows = { parents: Int32Array.of(0), words: Int32Array.of(prefix.at(-1) ?? 0), count };
      const step = await engine.step(state, rows);
      state.release();
      state = step.state;
      const probabilities = await reference.nextWord(photo, prefix);
      const expected = Float32Array.from(step.words, (id) => Math.log(probabilities[id] ?? Number.NaN));
      expect(new Set(step.words).size).toBe(count);
      expect(largestDifference(step.logProbabilities, expected)).toBeLessThan(1e-3);
      prefix.push(word);
    }
    state.release();
  });

  test("finds the captions that the reference finds greedily, where repetition costs nothing", async () => {
    const unguided = await createOnnxEngine(withoutEvidence(bundle));
    const found = await search(unguided, features, 1, tutorialSettings(bundle.manifest));
    await unguided.close();
    for (const [index, vector] of features.entries()) {
      expect(found[index]?.[0]?.words).toEqual(await tutorialSearch(reference.nextWord, vector, bundle.manifest));
    }
  });

  test("gives a photo alone the features and captions that it has in a batch", async () => {
    const together = await search(engine, features, 3);
    for (const [index, pixels] of photos.entries()) {
      const alone = await engine.encode(pixels, 1);
      const scale = Math.max(...alone);
      expect(largestDifference(alone, features[index] ?? alone) / scale).toBeLessThan(1e-5);
      const [captions = []] = await search(engine, [alone], 3);
      expect(captions.map(({ words }) => words)).toEqual(together[index]?.map(({ words }) => words));
    }
  });

  test("gives the same features to the bit after the bundle was saved elsewhere and loaded", async () => {
    const copy = join(await temporaryFolder(), "copy");
    await cp(folder, copy, { recursive: true });
    const other = await createOnnxEngine(await sealBundle(copy));
    try {
      const again = rowsOf(await other.encode(Buffer.concat(photos), photos.length), photos.length);
      expect(again).toEqual(features);
    } finally {
      await other.close();
    }
  });
});
