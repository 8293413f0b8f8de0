import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { defaultModelDir, openBundle } from "../../gpu-service/bundle.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { isResearchDataThere, researchData } from "../fixtures/research-data.ts";
import { train } from "../training/run-prepare.ts";

it.skipIf(!isResearchDataThere)(
  "scores the shipped bundle on Flickr8k's test split as its manifest says (needs ../shared)",
  { timeout: 900_000 },
  async () => {
    const places = ["--data", `${researchData}flickr8k`, "--out", await temporaryFolder()];
    await train("prepare", ...places);
    await train("evaluate", ...places);
    const { searches } = JSON.parse(await readFile(join(places[3] ?? "", "evaluate/scores.json"), "utf8"));
    const { manifest } = await openBundle(defaultModelDir);
    const ofTest = manifest.scores.filter(({ dataset }) => dataset.includes("test"));
    expect(ofTest).toHaveLength(3);
    for (const { dataset: _, search, ...scores } of ofTest) {
      const found = searches.find((other: { search: string }) => other.search === search);
      for (const [name, score] of Object.entries(scores)) {
        // the manifest has one decimal; a near tie between two captions may fall otherwise on another processor
        expect(Math.abs(100 * found[name] - score), `${search} ${name}`).toBeLessThan(0.15);
      }
    }
  },
);
