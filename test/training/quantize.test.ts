import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { openBundle, openEncoder } from "../../captioner/bundle.ts";
import { type EncoderRanges, encoderRangesSchema } from "../../shared/ranges.ts";
import { prepare } from "../../training/prepare.ts";
import { checkRanges, measureRanges } from "../../training/quantize/measure-ranges.ts";
import { quantize } from "../../training/quantize.ts";
import { beginRun, isUpToDate, runStages } from "../../training/run-stages.ts";
import { defaultSettings } from "../../training/settings.ts";
import type { TrainRequest } from "../../training/stage.ts";
import { sealBundle } from "../../training/write-bundle.ts";
import { copyTinyBundle, temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";
import { madePhotos } from "../fixtures/made-images.ts";
import { decodedPhotos } from "../fixtures/real-photos.ts";
import { enoughCaptions, makeJsonl, oneSource } from "./made-dataset.ts";
import { listen } from "./run-prepare.ts";

async function makeData(): Promise<string> {
  const names = Array.from({ length: 4 }, (_, index) => `${index}.jpg`);
  const data = await makeJsonl(names.map((image) => ({ image, captions: enoughCaptions, split: "train" })));
  for (const [index, bytes] of (await madePhotos(4)).entries())
    await writeFile(join(dirname(data), `${index}.jpg`), bytes);
  return data;
}

/** Runs the stage on the encoder of a bundle. Returns what it said and wrote. */
async function runQuantize(encoder: string) {
  const settings = { ...defaultSettings, minCount: 2, encoder };
  const context: TrainRequest = { data: oneSource(await makeData()), out: await temporaryFolder(), settings };
  const heard = listen();
  await runStages([prepare, quantize], context);
  const written = await readFile(join(context.out, "quantize/ranges.json"), "utf8");
  return { said: heard(), written, file: encoderRangesSchema.parse(JSON.parse(written)), context };
}

async function* photosOf(folder: string): AsyncGenerator<Uint8Array> {
  yield* await decodedPhotos((await openBundle(folder)).manifest.preprocessing);
}

/** A copy of the tiny bundle with another file of ranges. */
async function withRanges(change: (file: EncoderRanges) => unknown): Promise<string> {
  const folder = await copyTinyBundle();
  const path = join(folder, "encoder/ranges.json");
  await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, "utf8")))));
  await sealBundle(folder);
  return folder;
}

describe("quantize", () => {
  test("takes over the ranges that an encoder has, byte for byte, where the photos lie in them", async () => {
    const { said, written, context } = await runQuantize(tinyBundle);
    expect(said).toContain("the ranges of tiny fit these photos");
    expect(written).toBe(await readFile(join(tinyBundle, "encoder/ranges.json"), "utf8"));
    expect(await isUpToDate(quantize, beginRun(context))).toBe(true);
  });

  test("measures an encoder's ranges that would saturate anew, naming the layer", async () => {
    const { said, file } = await runQuantize(
      await withRanges((file) => ({ ...file, ranges: { ...file.ranges, concatenate_Concatenate1: [0, 0.4] } })),
    );
    expect(said).toMatch(
      /measuring anew: layer concatenate_Concatenate1: its range, 0\.00 to 0\.400, cuts off \d+\.\d %/,
    );
    expect(said).toMatch(/cosine of the features to float32's, minus the mean, on \d+ other photos: 0\.99/);
    expect(file.photos).toBe(4);
    expect(file.ranges.concatenate_Concatenate1?.[1]).toBeGreaterThan(2);
    const convolutions = (await openEncoder(tinyBundle))
      .readEncoder()
      .layers.filter(({ class: of }) => of === "Conv2D");
    expect(Object.keys(file.divisors ?? {}).sort()).toEqual(convolutions.map(({ name }) => name).sort());
  });
});

test("an encoder's ranges of a format before this one are measured anew, too", async () => {
  const { said, file } = await runQuantize(await withRanges((old) => ({ ...old, formatVersion: 1 })));
  expect(said).toMatch(/measuring anew: .*expected ranges of format 2/s);
  expect(file.formatVersion).toBe(2);
});

describe("checkRanges", () => {
  test("passes what was measured on the same photos", async () => {
    const bundle = await openEncoder(tinyBundle);
    const ranges = await measureRanges(bundle, { photos: photosOf(tinyBundle) });
    expect(Object.keys(ranges).sort()).toEqual(Object.keys(bundle.readRanges()?.ranges ?? {}).sort());
    await checkRanges(bundle, { ranges, photos: photosOf(tinyBundle) });
  });

  test("refuses a layer without a range by name", async () => {
    const bundle = await openEncoder(tinyBundle);
    const checked = checkRanges(bundle, { ranges: { conv2d_Conv2D1: [0, 100] }, photos: photosOf(tinyBundle) });
    await expect(checked).rejects.toThrow(/layer \w+: expected a range, found none/);
  });
});
