import { access, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openEncoder } from "../../captioner/bundle.ts";
import { writeEncoder } from "../../training/write-bundle.ts";
import { copyTinyBundle, temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";

/** Writes the tiny bundle's encoder. */
async function write(folder: string, id = "tiny-encoder") {
  const { manifest } = await openEncoder(tinyBundle);
  const read = (name: string) => readFile(join(tinyBundle, "encoder", name));
  const model = { topology: JSON.parse(`${await read("model.json")}`), weights: await read("weights.bin") };
  const { description, preprocessing, provenance, licence } = manifest;
  const featureSize = manifest.encoder.featureSize;
  return writeEncoder(folder, { id, description, preprocessing, provenance, licence, featureSize, model });
}

test("an encoder that was written reads back, and is replaced by the next", async () => {
  const folder = join(await temporaryFolder(), "some", "encoder");
  const first = await write(folder);
  expect(first.readEncoder().layers.length).toBeGreaterThan(10);
  expect((await write(folder)).revision).toBe(first.revision);

  expect((await write(folder, "other")).manifest.id).toBe("other");
  expect(await readdir(folder)).toEqual(["encoder", "manifest.json"]);
  expect(await readdir(join(folder, "encoder"))).toEqual(["model.json", "weights.bin"]);
});

test("a model bundle is not overwritten", async () => {
  const folder = await copyTinyBundle();
  const before = await readFile(join(folder, "manifest.json"));

  await expect(write(folder)).rejects.toThrow(`${join(folder, "manifest.json")}: expected none or an encoder's`);
  expect(await readFile(join(folder, "manifest.json"))).toEqual(before);
});

test("a write that fails leaves what stood there before", async () => {
  const folder = await temporaryFolder();
  const { revision } = await write(folder);
  await mkdir(join(folder, "manifest.json.partial")); // where the manifest is to be written

  await expect(write(folder, "other")).rejects.toThrow("manifest.json.partial");
  expect((await openEncoder(folder)).revision).toBe(revision);
  await expect(access(join(folder, "encoder", "weights.bin.partial"))).rejects.toThrow("ENOENT");
});

test("files whose manifest never came are no bundle", async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "encoder"));
  await writeFile(join(folder, "encoder", "weights.bin"), "");

  await expect(openEncoder(folder)).rejects.toThrow("manifest.json: cannot be read (ENOENT)");
  expect((await write(folder)).manifest.id).toBe("tiny-encoder");
});
