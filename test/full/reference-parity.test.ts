import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { loadTfjsWasm } from "../../bench/tfjs-wasm.ts";
import { tutorialSearch, tutorialSettings, withoutEvidence } from "../../bench/tutorial-search.ts";
import { searchCaptions } from "../../captioner/beam-search.ts";
import { defaultModelDir, openBundle } from "../../captioner/bundle.ts";
import { decodeImage } from "../../captioner/images/decode-image.ts";
import { createOnnxEngine } from "../../captioner/onnx/engine.ts";
import { cosine } from "../../captioner/vectors.ts";
import { isResearchDataThere, researchData } from "../fixtures/research-data.ts";

test.skipIf(!isResearchDataThere)(
  "agrees with TensorFlow.js on features and greedy captions of 40 full-size photos (needs ../shared)",
  { timeout: 600_000 },
  async () => {
    const bundle = await openBundle(defaultModelDir);
    const { preprocessing } = bundle.manifest;
    const engine = await createOnnxEngine(withoutEvidence(bundle));
    const reference = await loadTfjsWasm(bundle);
    for (const name of await readdir(`${researchData}photos`)) {
      const bytes = await readFile(`${researchData}photos/${name}`);
      const { pixels } = await decodeImage(bytes, { preprocessing, maxPixels: 1e8 });
      const features = await engine.encode(pixels, 1);
      expect(cosine(features, await reference.encode(pixels, 1)), name).toBeGreaterThan(0.9999);
      const settings = tutorialSettings(bundle.manifest);
      const [found] = await searchCaptions(engine, { features, options: [{ beam: 1, candidates: 1 }] }, settings);
      expect(found?.[0]?.words, name).toEqual(await tutorialSearch(reference.nextWord, features, bundle.manifest));
    }
    await engine.close();
  },
);
