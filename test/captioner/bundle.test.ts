import { readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { defaultModelDir, modelCardOf, openBundle, sha256Of } from "../../captioner/bundle.ts";
import { modelCardSchema } from "../../shared/contract.ts";
import { sealBundle } from "../../training/write-bundle.ts";
import { copyTinyBundle, temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";
import { makeTinyBundle } from "../fixtures/make-tiny-bundle.ts";

describe("openBundle", () => {
  test("reads the shipped bundle: 312 encoder layers, 2081 words", async () => {
    const bundle = await openBundle(defaultModelDir);
    expect(bundle.readEncoder().layers).toHaveLength(312);
    expect(bundle.readDecoder().layers).toHaveLength(11);
    expect(bundle.vocabulary.size).toBe(2081);
    expect(bundle.revision).toBe(sha256Of(await readFile(join(defaultModelDir, "manifest.json"))).slice(0, 12));
    expect(modelCardSchema.parse(modelCardOf(bundle, "float32")).maxWords).toBe(20);
  });

  test("finds the tiny bundle as its script makes it", async () => {
    const folder = await temporaryFolder();
    await makeTinyBundle(folder);
    expect((await openBundle(tinyBundle)).manifest.files).toEqual((await openBundle(folder)).manifest.files);
  });

  test("refuses a folder without a bundle", async () => {
    const folder = await temporaryFolder();
    await expect(openBundle(folder)).rejects.toThrow(`${join(folder, "manifest.json")}: cannot be read`);
  });

  test.each([
    "vocabulary.json",
    "encoder/model.json",
    "encoder/weights.bin",
    "decoder/model.json",
    "decoder/weights.bin",
  ])("refuses a bundle whose %s has one changed byte, is cut short or is missing", async (path) => {
    const folder = await copyTinyBundle();
    const file = join(folder, path);
    const bytes = await readFile(file);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await writeFile(file, bytes);
    await expect(openBundle(folder)).rejects.toThrow(`${file}: expected sha256`);
    await truncate(file, bytes.length - 1);
    await expect(openBundle(folder)).rejects.toThrow(`${file}: expected ${bytes.length} bytes`);
    await rm(file);
    await expect(openBundle(folder)).rejects.toThrow(`${file}: cannot be read`);
  });

  test.each([
    ["no JSON", () => "{", "manifest.json: "],
    [
      "an unknown field",
      (manifest: object) => JSON.stringify({ ...manifest, colour: 1 }),
      'Unrecognized key: "colour"',
    ],
    ["no licence", (manifest: object) => JSON.stringify({ ...manifest, licence: undefined }), "at licence"],
    [
      "a path that leaves the bundle",
      (manifest: object) => JSON.stringify({ ...manifest, vocabulary: { path: "../words.json", size: 53 } }),
      "at vocabulary.path",
    ],
    [
      "a vocabulary it does not list",
      (manifest: object) => JSON.stringify({ ...manifest, vocabulary: { path: "words.json", size: 53 } }),
      "words.json is not among its files",
    ],
    [
      "a file listed twice",
      (manifest: { files: object[] }) => JSON.stringify({ ...manifest, files: [...manifest.files, ...manifest.files] }),
      "expected each file once",
    ],
    [
      "captions of a billion words",
      (manifest: object) => JSON.stringify({ ...manifest, search: { lengthPenalty: 0.7, maxWords: 1e9 } }),
      "at search.maxWords",
    ],
    [
      "another end word",
      (manifest: object) => JSON.stringify({ ...manifest, specialIds: { padding: 0, start: 1, end: 5 } }),
      "vocabulary.json: expected size, start id and end id",
    ],
  ])("refuses a manifest with %s, by name", async (_, edit, message) => {
    const folder = await copyTinyBundle();
    const path = join(folder, "manifest.json");
    await writeFile(path, edit(JSON.parse(await readFile(path, "utf8"))));
    await expect(openBundle(folder)).rejects.toThrow(message);
  });
});

describe("a bundle's networks", () => {
  test.each([
    ["readEncoder", { preprocessing: { width: 128 } }, "encoder/model.json: input input1: expected [n, 299, 128, 3]"],
    ["readDecoder", { maxCaptionLength: 5 }, "expected [n, 2048] or [n, 5]"],
  ] as const)("are refused by %s when they were made for other inputs", async (read, changes, message) => {
    const folder = await copyTinyBundle();
    const path = join(folder, "manifest.json");
    const manifest = JSON.parse(await readFile(path, "utf8"));
    const preprocessing = { ...manifest.preprocessing, ...("preprocessing" in changes ? changes.preprocessing : {}) };
    await writeFile(path, JSON.stringify({ ...manifest, ...changes, preprocessing }));
    const bundle = await openBundle(folder);
    expect(() => bundle[read]()).toThrow(message);
  });
});

describe("sealBundle", () => {
  test("gives a changed bundle new hashes and a new revision", async () => {
    const folder = await copyTinyBundle();
    const before = await openBundle(folder);
    const path = join(folder, "vocabulary.json");
    await writeFile(path, (await readFile(path, "utf8")).replace('"road"', '"street"'));
    const after = await sealBundle(folder);
    expect(after.revision).not.toBe(before.revision);
    expect(after.vocabulary.words).toContain("street");
    expect(await sealBundle(folder)).toMatchObject({ revision: after.revision });
  });
});
