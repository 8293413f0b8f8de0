import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import * as z from "zod";
import { defaultModelDir } from "../../gpu-service/bundle.ts";
import { startCaptioner, usualCaptionerSettings } from "../../gpu-service/captioner.ts";
import { sealBundle } from "../../training/seal-bundle.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { isResearchDataThere, researchData } from "../fixtures/research-data.ts";

const expectedSchema = z.object({
  greedy: z.record(z.string(), z.string()),
  beam3: z.record(z.string(), z.string()),
});

/** The research model as a bundle: its parts, with the manifest of the shipped model, whose encoder and words it has. */
async function researchBundle(): Promise<string> {
  const folder = join(await temporaryFolder(), "bundle");
  await cp(`${researchData}model-v1`, folder, { recursive: true });
  const {
    calibration: _,
    encoder,
    ...manifest
  } = JSON.parse(await readFile(join(defaultModelDir, "manifest.json"), "utf8"));
  const search = { lengthPenalty: 0.7, maxWords: 20 }; // those of the recording
  await writeFile(
    join(folder, "manifest.json"),
    JSON.stringify({ ...manifest, encoder: { ...encoder, ranges: undefined }, search }),
  );
  await sealBundle(folder);
  return folder;
}

it.skipIf(!isResearchDataThere)(
  "says of 40 test photos what another framework says with the same weights, greedy and beam 3 (needs ../shared)",
  async () => {
    const expected = expectedSchema.parse(JSON.parse(await readFile(`${researchData}model-v1/expected.json`, "utf8")));
    const modelDir = await researchBundle();
    const captioner = await startCaptioner({
      ...usualCaptionerSettings,
      modelDir,
      engine: "onnx",
      precision: "float32",
    });
    onTestFinished(() => captioner.close());
    for (const [beam, captions] of [
      [1, expected.greedy],
      [3, expected.beam3],
    ] as const) {
      const found = await Promise.all(
        Object.keys(captions).map(async (name) => {
          const bytes = await readFile(`${researchData}flickr8k/images/${name}`);
          const { caption } = await captioner.caption({ bytes, options: { beam, candidates: 1 } });
          return [name, caption.caption] as const;
        }),
      );
      expect(Object.fromEntries(found)).toEqual(captions);
    }
  },
);
