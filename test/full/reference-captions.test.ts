import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import * as z from "zod";
import { defaultModelDir } from "../../captioner/bundle.ts";
import { startCaptioner, usualCaptionerSettings } from "../../captioner/captioner.ts";
import { parseVocabulary } from "../../shared/vocabulary.ts";
import { sealBundle } from "../../training/write-bundle.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { isResearchDataThere, researchData } from "../fixtures/research-data.ts";

const expectedSchema = z.object({
  greedy: z.record(z.string(), z.string()),
  beam3: z.record(z.string(), z.string()),
});

/** The research model as a bundle: its parts, and the manifest of the shipped model with what was so in the recording. */
async function researchBundle(): Promise<string> {
  const folder = join(await temporaryFolder(), "bundle");
  await cp(`${researchData}model-v2`, folder, { recursive: true });
  const shipped = JSON.parse(await readFile(join(defaultModelDir, "manifest.json"), "utf8"));
  const words = parseVocabulary(JSON.parse(await readFile(join(folder, "vocabulary.json"), "utf8")));
  const manifest = {
    ...shipped,
    calibration: undefined,
    rehearsal: undefined,
    evidence: undefined,
    encoder: { ...shipped.encoder, ranges: undefined },
    preprocessing: { ...shipped.preprocessing, through: undefined },
    vocabulary: { path: "vocabulary.json", size: words.size },
    specialIds: { padding: 0, start: words.startId, end: words.endId },
    maxCaptionLength: 24,
    search: { lengthPenalty: 0.7, maxWords: 20 },
  };
  await writeFile(join(folder, "manifest.json"), JSON.stringify(manifest));
  await sealBundle(folder);
  return folder;
}

test.skipIf(!isResearchDataThere)(
  "says of 40 test photos what another framework says with the same weights, greedy and beam 3 (needs ../shared)",
  { timeout: 180_000 },
  async () => {
    const expected = expectedSchema.parse(JSON.parse(await readFile(`${researchData}model-v2/expected.json`, "utf8")));
    const modelDir = await researchBundle();
    const captioner = await startCaptioner({
      ...usualCaptionerSettings,
      modelDir,
      engine: "onnx",
      precision: "float32",
    });
    onTestFinished(() => captioner.close());
    const candidatesOf = async (name: string, beam: number) => {
      const bytes = await readFile(`${researchData}flickr8k/images/${name}`);
      return (await captioner.caption({ bytes, options: { beam, candidates: beam } })).caption.candidates;
    };
    const rank = ({ words, logProb }: { words: readonly unknown[]; logProb: number }) => logProb / words.length ** 0.7;
    for (const [beam, captions] of [
      [1, expected.greedy],
      [3, expected.beam3],
    ] as const) {
      let ties = 0;
      const found = await Promise.all(Object.keys(captions).map((name) => candidatesOf(name, beam)));
      for (const [index, [name, expectedCaption]] of Object.entries(captions).entries()) {
        const candidates = found[index] ?? [];
        const [best] = candidates;
        const same = candidates.find(({ caption }) => caption === expectedCaption);
        expect(same, `${name}: ${best?.caption}`).toBeDefined();
        if (best === undefined || same === undefined || same === best) continue;
        expect(rank(best) - rank(same), name).toBeLessThan(0.01);
        ties += 1;
      }
      expect(ties).toBeLessThanOrEqual(1);
    }
  },
);
