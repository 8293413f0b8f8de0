import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EncoderBundle, openEncoder } from "../../../captioner/bundle.ts";
import { createOnnxEncoder } from "../../../captioner/onnx/engine.ts";
import { convertKerasWeights } from "../../../training/keras/convert-weights.ts";
import { temporaryFolder } from "../../fixtures/bundles.ts";
import recorded from "../../fixtures/keras-inception-v3.json" with { type: "json" };
import { kerasLayers, madePicture, type PictureName, writeKerasFile } from "../../fixtures/keras-weights.ts";

const names: readonly PictureName[] = ["slope", "checks", "noise"];

describe("made weights in Keras' format, numbered from 1 as in its release", () => {
  let folder: string;
  let bundle: EncoderBundle;
  let features: Record<PictureName, Float32Array>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "edge-caption-keras-"));
    const weightsPath = join(folder, "made.h5");
    await writeKerasFile(weightsPath, await kerasLayers({ firstNumber: 1 }));
    bundle = await convertKerasWeights({ weightsPath, folder: join(folder, "encoder"), isQuantized: false });
    const engine = await createOnnxEncoder(bundle);
    const encode = (name: PictureName) => engine.encode(madePicture(name), 1);
    features = { slope: await encode("slope"), checks: await encode("checks"), noise: await encode("noise") };
    await engine.close();
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each(names)("become an encoder with Keras' features of %s, to a ten-thousandth", (name) => {
    const { every32nd, norm } = recorded.pictures[name];
    const found = features[name].filter((_, index) => index % 32 === 0);
    expect(found).toHaveLength(every32nd.length);
    expect(distance(found, every32nd) / length(every32nd)).toBeLessThanOrEqual(1e-4);
    expect(Math.abs(length(features[name]) / norm - 1)).toBeLessThanOrEqual(1e-4);
  });

  test.each([
    ["slope", "checks"],
    ["slope", "noise"],
    ["checks", "noise"],
  ] as const)("tell %s and %s apart, by more than a hundred times that", (one, other) => {
    const least = Math.min(length(features[one]), length(features[other]));
    expect(distance(features[one], features[other]) / least).toBeGreaterThan(1e-2);
  });

  test("become 312 layers whose manifest says what was made of what", async () => {
    const { manifest, readEncoder } = await openEncoder(join(folder, "encoder"));
    expect(readEncoder().layers).toHaveLength(312);
    expect(manifest).toMatchObject({ id: "inception-v3", licence: "not stated" });
    expect(manifest.preprocessing).toEqual(
      { width: 299, height: 299, fit: "fill", kernel: "linear", divisor: 127.5, offset: -1 }, // no `through`
    );
    expect(manifest.provenance[1]).toMatch(/^Encoder weights: made\.h5, sha256 [0-9a-f]{64}, of whoever made them\.$/);
  });
});

test("leaves nothing where the weights are no good", async () => {
  const folder = await temporaryFolder();
  const weightsPath = join(folder, "made.h5");
  await writeKerasFile(weightsPath, []);
  const out = join(folder, "encoder");
  await expect(convertKerasWeights({ weightsPath, folder: out, isQuantized: false })).rejects.toThrow(
    `${weightsPath}: expected 188 layers with weights, or 189 with the classifier, found 0: it is of another network`,
  );
  await expect(openEncoder(out)).rejects.toThrow("cannot be read (ENOENT)");
});

function length(values: ArrayLike<number>): number {
  return Math.hypot(...Array.from(values));
}

function distance(one: ArrayLike<number>, other: ArrayLike<number>): number {
  return length(Array.from(one, (value, index) => value - (other[index] ?? Number.NaN)));
}
