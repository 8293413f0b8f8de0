import { copyFile, mkdir, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { openBundle } from "../../captioner/bundle.ts";
import { decodeImage } from "../../captioner/images/decode-image.ts";
import { createOnnxEngine } from "../../captioner/onnx/engine.ts";
import { cosine } from "../../captioner/vectors.ts";
import { readFeatures } from "../../training/features/photo-features.ts";
import { features } from "../../training/features.ts";
import { prepare } from "../../training/prepare.ts";
import { readPrepared } from "../../training/prepared.ts";
import { beginRun, isUpToDate, runStages } from "../../training/run-stages.ts";
import { defaultSettings, type TrainSettings } from "../../training/settings.ts";
import type { TrainRequest } from "../../training/stage.ts";
import { copyTinyBundle, temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";
import { madePhotos } from "../fixtures/made-images.ts";
import { enoughCaptions, makeJsonl, oneSource } from "./made-dataset.ts";
import { listen } from "./run-prepare.ts";

/** Photos that differ, in a folder with their captions; the last is for dev. */
async function makeData(count: number): Promise<string> {
  const names = Array.from({ length: count }, (_, index) => `${index}.jpg`);
  const split = (index: number) => (index === count - 1 ? "dev" : "train");
  const data = await makeJsonl(names.map((image, index) => ({ image, captions: enoughCaptions, split: split(index) })));
  for (const [index, bytes] of (await madePhotos(count)).entries()) {
    await writeFile(join(dirname(data), `${index}.jpg`), bytes);
  }
  return data;
}

async function contextOf(data: string, settings: Partial<TrainSettings> = {}): Promise<TrainRequest> {
  const out = await temporaryFolder();
  return {
    data: oneSource(data),
    out,
    settings: { ...defaultSettings, minCount: 2, encoder: tinyBundle, ...settings },
  };
}

/** Runs both stages and returns what they said. */
async function run(context: TrainRequest): Promise<string> {
  const heard = listen();
  await runStages([prepare, features], context);
  return heard();
}

async function featuresOf(context: TrainRequest) {
  return readFeatures(beginRun(context), { photos: (await readPrepared(context)).photos });
}

/** By the engine itself, of bytes decoded as the service does. */
async function encode(bytes: Uint8Array): Promise<Float32Array> {
  const bundle = await openBundle(tinyBundle);
  const engine = await createOnnxEngine(bundle);
  const { pixels } = await decodeImage(bytes, { preprocessing: bundle.manifest.preprocessing, maxPixels: 1e6 });
  const vector = await engine.encode(pixels, 1);
  await engine.close();
  return vector;
}

describe("features", () => {
  test("are those that the service's engine gives, and the mirror image's with --flips", async () => {
    const data = await makeData(3);
    const context = await contextOf(data);
    await run(context);
    const bytes = await readFile(join(dirname(data), "1.jpg"));
    const row = ({ features: values, featureSize }: { features: Float32Array; featureSize: number }) =>
      values.subarray(featureSize, 2 * featureSize);
    expect(cosine(row(await featuresOf(context)), await encode(bytes))).toBeGreaterThan(0.999999);

    const both = { ...context, settings: { ...context.settings, flips: true } };
    expect(await run(both)).toContain("features: 2 of 5 photos to encode, on onnx (cpu)"); // two are for training
    const training = (await readPrepared(context)).photos.slice(0, 2);
    const { mirrored = new Float32Array(), featureSize } = await readFeatures(beginRun(both), {
      photos: training,
      mirrored: true,
    });
    const flopped = await sharp(bytes).flop().png().toBuffer();
    const found = mirrored.subarray(featureSize, 2 * featureSize);
    expect(cosine(found, await encode(flopped))).toBeGreaterThan(0.9999);
    expect(cosine(found, await encode(bytes))).toBeLessThan(0.9999);
  });

  test("are kept: a changed photo alone is encoded again, another encoder encodes all", async () => {
    const data = await makeData(5);
    const context = await contextOf(data);
    expect(await run(context)).toMatch(/features: 5 of 5 photos, [\d.]+ a second/);
    expect(await run(context)).toMatch(/^prepare: up to date .*\nfeatures: up to date .*\n$/);
    await writeFile(join(dirname(data), "3.jpg"), (await madePhotos(6))[5] ?? "");
    expect(await run(context)).toContain("features: 1 of 5 photos to encode");
    const encoder = await copyTinyBundle();
    const manifest = JSON.parse(await readFile(join(encoder, "manifest.json"), "utf8"));
    manifest.preprocessing.kernel = "cubic";
    await writeFile(join(encoder, "manifest.json"), JSON.stringify(manifest));
    const other = { ...context, settings: { ...context.settings, encoder } };
    await expect(featuresOf(other)).rejects.toThrow("expected an index of features, found none");
    expect(await run(other)).toContain("features: 5 of 5 photos to encode");
    await featuresOf(other);
    expect(await run(context)).not.toContain("to encode"); // those of the first are still there
  });

  test("of three shards are taken over without encoding a photo twice", async () => {
    const data = await makeData(9);
    const context = await contextOf(data);
    await run(context);
    const expected = await featuresOf(context);

    const merged = await contextOf(data);
    await mkdir(join(merged.out, "features"), { recursive: true });
    let rows = 0;
    for (const number of [1, 2, 3]) {
      const part = await contextOf(data, { shard: { number, of: 3 } });
      rows += Number(/has its (\d+) rows/.exec(await run(part))?.[1]);
      const names = (await readdir(join(part.out, "features"))).filter((name) =>
        name.includes(`-shard-${number}-of-3.`),
      );
      expect(names).toHaveLength(2);
      for (const name of names) {
        await copyFile(join(part.out, "features", name), join(merged.out, "features", name));
      }
    }
    expect(rows).toBe(9);
    const said = await run(merged);
    expect(said.match(/took \d+ rows over/g)?.length).toBeGreaterThan(0);
    expect(said).not.toContain("to encode"); // no engine was even started
    expect(await featuresOf(merged)).toEqual(expected);
  });

  test("leave a photo out that cannot be decoded, and tell of it", async () => {
    const data = await makeData(4);
    await truncate(join(dirname(data), "1.jpg"), 9000);
    await copyFile(join(dirname(data), "1.jpg"), join(dirname(data), "2.jpg")); // under another name, too
    const context = await contextOf(data, { flips: true });
    expect(await run(context)).toContain("features: 1.jpg is left out: the jpeg image cannot be decoded");
    expect((await featuresOf(context)).photos.map(({ file }) => file)).toEqual(["0.jpg", "3.jpg"]);
    const summary = JSON.parse(await readFile(join(context.out, "features", "summary.json"), "utf8"));
    expect(summary).toMatchObject({ rows: 3, leftOut: [{ file: "1.jpg" }] }); // one has a mirror image
  });

  test("refuse a photo that is no longer what prepare saw, by name", async () => {
    const data = await makeData(2);
    const context = await contextOf(data);
    const heard = listen();
    await runStages([prepare], context);
    const path = join(dirname(data), "1.jpg");
    await copyFile(join(dirname(data), "0.jpg"), path);
    await expect(runStages([features], context)).rejects.toThrow(`${path}: has changed since prepare looked at it`);
    heard();
  });

  test("say that prepare comes first", async () => {
    const context = await contextOf(await makeData(1));
    await expect(runStages([features], context)).rejects.toThrow("run the stage prepare first");
    await expect(isUpToDate(features, beginRun(context))).rejects.toThrow("run the stage prepare first");
  });
});
