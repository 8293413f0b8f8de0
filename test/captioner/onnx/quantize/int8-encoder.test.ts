import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import onnxProto from "onnx-proto";
import { InferenceSession } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type Bundle, defaultModelDir, openBundle } from "../../../../captioner/bundle.ts";
import { compileInt8Encoder } from "../../../../captioner/onnx/encoder.ts";
import { createEncoderSession, type EncoderSession } from "../../../../captioner/onnx/encoder-session.ts";
import { cosine, rowsOf } from "../../../../captioner/vectors.ts";
import { sealBundle } from "../../../../training/write-bundle.ts";
import { copyTinyBundle, temporaryFolder, tinyBundle } from "../../../fixtures/bundles.ts";
import { decodedPhotos, photoNames } from "../../../fixtures/real-photos.ts";

describe.each([
  { name: "shipped", folder: defaultModelDir },
  { name: "tiny", folder: tinyBundle },
])("the $name bundle's encoder in eight bits", ({ folder }) => {
  let bundle: Bundle;
  let sessions: { float32: EncoderSession; int8: EncoderSession };
  let photos: Uint8Array[];

  beforeAll(async () => {
    bundle = await openBundle(folder);
    const open = (precision: "float32" | "int8") => createEncoderSession(bundle, { threads: 2, precision });
    sessions = { float32: await open("float32"), int8: await open("int8") };
    photos = await decodedPhotos(bundle.manifest.preprocessing);
  });
  afterAll(async () => void (await Promise.all([sessions.float32.close(), sessions.int8.close()])));

  test("gives features close to float32's, what the photos have in common taken off", async () => {
    const exact = await Promise.all(photos.map((pixels) => sessions.float32.encode(pixels, 1)));
    const mean = exact[0]?.map((_, index) => exact.reduce((sum, row) => sum + (row[index] ?? 0), 0) / exact.length);
    const centred = (row: Float32Array) => row.map((value, index) => value - (mean?.[index] ?? 0));
    for (const [index, name] of photoNames.entries()) {
      const found = await sessions.int8.encode(photos[index] ?? new Uint8Array(), 1);
      const agreement = cosine(centred(found), centred(exact[index] ?? found));
      expect(agreement, name).toBeGreaterThan(0.99);
      expect(agreement, name).toBeLessThan(0.999999); // it is another computation
    }
  });

  test("gives a photo alone what it gives it in a batch, to the bit", async () => {
    const together = rowsOf(await sessions.int8.encode(Buffer.concat(photos), photos.length), photos.length);
    for (const [index, pixels] of photos.entries()) {
      expect(await sessions.int8.encode(pixels, 1), photoNames[index]).toEqual(together[index]);
    }
  });

  test("has no convolution, pooling or concatenation left in float32", async () => {
    const { preprocessing, encoder } = bundle.manifest;
    const spec = { preprocessing, featureSize: encoder.featureSize, ranges: {}, ...bundle.readRanges() };
    const path = join(await temporaryFolder(), "optimized.onnx");
    const session = await InferenceSession.create(compileInt8Encoder(bundle.readEncoder(), spec), {
      optimizedModelFilePath: path,
      logSeverityLevel: 3,
    });
    await session.release();
    const { graph } = onnxProto.onnx.ModelProto.decode(await readFile(path));
    const operators = new Set(graph?.node?.map(({ opType }) => opType));
    expect(
      [...operators].filter((name) => /^(Conv|MaxPool|AveragePool|Concat|FusedConv|Cast|Div)$/.test(name ?? "")),
    ).toEqual(
      operators.has("NhwcMaxPool") ? [] : ["MaxPool"], // which takes bytes, too
    );
    expect(operators).toContain("QLinearConv");
    expect(graph?.node?.filter(({ opType }) => opType === "DequantizeLinear")).toHaveLength(1); // before the mean
  });
});

describe("ranges", () => {
  test.each<[string, [string, string], RegExp]>([
    ["of another encoder", ["30e281a2212c", "0123456789ab"], /of encoder 30e281a2212c, found those of 0123456789ab/],
    ["that lack a layer", ["conv2d_Conv2D1", "another"], /expected the range of layer conv2d_Conv2D1, found none/],
    ["that are not finite", ["4.769", "1e999"], /ranges\.conv2d_Conv2D1/],
    ["that are the wrong way round", ["4.769", "-4.769"], /expected the least number before the largest/],
  ])("%s are refused by name", async (_, [from, to], message) => {
    const folder = await copyTinyBundle();
    const path = join(folder, "encoder/ranges.json");
    await writeFile(path, (await readFile(path, "utf8")).replace(from, to));
    const bundle = await sealBundle(folder);
    const started = createEncoderSession(bundle, { threads: 1, precision: "int8" });
    await expect(started).rejects.toThrow(message);
    await expect(started).rejects.toThrow(path);
  });

  test("are not needed for float32; int8 without them is refused, saying what to do", async () => {
    const folder = await copyTinyBundle();
    const path = join(folder, "manifest.json");
    const { encoder, ...manifest } = JSON.parse(await readFile(path, "utf8"));
    await writeFile(path, JSON.stringify({ ...manifest, encoder: { ...encoder, ranges: undefined } }));
    const bundle = await sealBundle(folder);
    const session = await createEncoderSession(bundle, { threads: 1, precision: "float32" });
    onTestFinished(() => session.close());
    const refused = createEncoderSession(bundle, { threads: 1, precision: "int8" });
    await expect(refused).rejects.toThrow(`${folder}: expected a bundle with its layers' ranges for int8, found none`);
  });
});
