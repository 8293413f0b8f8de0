import { readFile } from "node:fs/promises";
import { expect, it, onTestFinished } from "vitest";
import * as z from "zod";
import { defaultModelDir } from "../../gpu-service/bundle.ts";
import { startCaptioner } from "../../gpu-service/captioner.ts";
import { isResearchDataThere, researchData } from "../fixtures/research-data.ts";

const expectedSchema = z.object({
  greedy: z.record(z.string(), z.string()),
  beam3: z.record(z.string(), z.string()),
});

it.skipIf(!isResearchDataThere)(
  "says of 40 test photos what another framework says with the shipped weights, greedy and beam 3 (needs ../shared)",
  async () => {
    const expected = expectedSchema.parse(JSON.parse(await readFile(`${researchData}model-v1/expected.json`, "utf8")));
    const captioner = await startCaptioner({
      modelDir: defaultModelDir,
      engine: "onnx",
      maxBatch: 8,
      maxPixels: 1e6,
      maxQueued: 100,
    });
    onTestFinished(() => captioner.close());
    for (const [beam, captions] of [
      [1, expected.greedy],
      [3, expected.beam3],
    ] as const) {
      const found = await Promise.all(
        Object.keys(captions).map(async (name) => {
          const bytes = await readFile(`${researchData}flickr8k/images/${name}`);
          return [name, (await captioner.caption({ bytes, options: { beam, candidates: 1 } })).caption] as const;
        }),
      );
      expect(Object.fromEntries(found)).toEqual(captions);
    }
  },
);
