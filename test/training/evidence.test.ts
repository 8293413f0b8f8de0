import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readDetectors } from "../../training/evidence/detector-files.ts";
import { evidence } from "../../training/evidence.ts";
import { features } from "../../training/features.ts";
import { prepare } from "../../training/prepare.ts";
import { beginRun, isUpToDate, runStages } from "../../training/run-stages.ts";
import { defaultSettings, type TrainSettings } from "../../training/settings.ts";
import { temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";
import { enoughCaptions, makeJsonl, oneSource } from "./made-dataset.ts";
import { listen } from "./run-prepare.ts";

/** Runs the stage on 16 training photos and so many dev photos. */
async function runEvidence(devPhotos: number, changed: Partial<TrainSettings> = {}) {
  const splits = [...new Array<string>(16).fill("train"), ...new Array<string>(devPhotos).fill("dev")];
  const photos = splits.map((_, index) => `${index}.png`);
  const lines = photos.map((image, index) => ({ image, captions: enoughCaptions, split: splits[index] }));
  const heard = listen();
  const request = {
    data: oneSource(await makeJsonl(lines, { photos })),
    out: await temporaryFolder(),
    settings: { ...defaultSettings, minCount: 2, encoder: tinyBundle, ...changed },
  };
  await runStages([prepare, features, evidence], request);
  return { request, said: heard(), detectors: await readDetectors(join(request.out, "evidence")) };
}

describe("the stage evidence", () => {
  test("trains a detector for each word that enough photos show, and is then up to date", async () => {
    const { request, said, detectors } = await runEvidence(200);
    const named = detectors?.concepts.map(({ concept }) => concept);
    expect(named).toEqual(["dog", "grass", "runs"]);
    expect(said).toContain("evidence: 3 words are shown by enough photos");
    const { featureSize } = JSON.parse(await readFile(join(tinyBundle, "manifest.json"), "utf8")).encoder;
    expect(detectors?.kernel).toHaveLength(3 * featureSize);
    expect(detectors?.kernel.every(Number.isFinite)).toBe(true);
    const isSure = (word: string) => detectors?.concepts.find(({ concept }) => concept === word)?.isReliable;
    expect(isSure("dog")).toBe(true); // all photos show one
    expect(await isUpToDate(evidence, beginRun(request))).toBe(true);
  }, 60_000);

  test("trains none where dev could not choose their strength, and says so", async () => {
    const { said, detectors } = await runEvidence(1);
    expect(detectors).toBeUndefined();
    expect(said).toContain("evidence: none: choosing its strength takes 200 dev photos, found 1");
  });

  test("is left out where a bundle brings its own, and of the tutorial's preset", () => {
    const isWanted = (settings: Partial<TrainSettings>) =>
      evidence.isWanted?.({ data: [], out: "", settings: { ...defaultSettings, ...settings } });
    expect([isWanted({}), isWanted({ from: tinyBundle }), isWanted({ preset: "tutorial" })]).toEqual([
      true,
      false,
      false,
    ]);
  });
});
