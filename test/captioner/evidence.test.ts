import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { searchCaptions } from "../../captioner/beam-search.ts";
import { type Bundle, openBundle } from "../../captioner/bundle.ts";
import type { Engine } from "../../captioner/engine.ts";
import { createOnnxEngine } from "../../captioner/onnx/engine.ts";
import { tinyBundle } from "../fixtures/bundles.ts";
import { copyGuidedBundle } from "../fixtures/guided-bundle.ts";
import { seededRandom } from "../fixtures/seeded-random.ts";

const photos = 12;

/** Made features, of the size that the tiny encoder's have. */
function madeFeatures({ manifest }: Bundle): Float32Array {
  const random = seededRandom(5);
  return Float32Array.from({ length: photos * manifest.encoder.featureSize }, () => random());
}

async function captionsOf(engine: Engine, bundle: Bundle) {
  const { search, specialIds } = bundle.manifest;
  const options = Array.from({ length: photos }, (_, photo) => ({ beam: 1 + (photo % 4), candidates: 4 }));
  try {
    const input = { features: madeFeatures(bundle), options };
    const found = await searchCaptions(engine, input, { ...search, startId: specialIds.start, endId: specialIds.end });
    return found.flat();
  } finally {
    await engine.close();
  }
}

describe("a bundle with word detectors", () => {
  test("gives other captions than without, with finite probabilities of the decoder's own", async () => {
    const [guided, usual] = [await openBundle(await copyGuidedBundle()), await openBundle(tinyBundle)];
    const found = await captionsOf(await createOnnxEngine(guided), guided);
    const before = await captionsOf(await createOnnxEngine(usual), usual);
    expect(found.map(({ words }) => words.join())).not.toEqual(before.map(({ words }) => words.join()));
    expect(found.every(({ logProb }) => logProb < 0)).toBe(true);
    expect(guided.revision).not.toBe(usual.revision);
  });

  test("is refused where its detectors take other features", async () => {
    const folder = await copyGuidedBundle();
    const path = join(folder, "manifest.json");
    const manifest = JSON.parse(await readFile(path, "utf8"));
    const encoder = { ...manifest.encoder, featureSize: 1024 };
    await writeFile(path, JSON.stringify({ ...manifest, encoder }));
    const bundle = await openBundle(folder);
    expect(() => bundle.readEvidence()).toThrow("evidence/model.json: input features: expected [n, 1024]");
  });
});
