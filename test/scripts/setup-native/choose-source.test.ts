import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { classicArchives, cudaWheels, libraryWheels } from "../../../scripts/setup-native/checksums.ts";
import { chooseSource, describeSource } from "../../../scripts/setup-native/choose-source.ts";
import { temporaryFolder } from "../../fixtures/bundles.ts";
import { makeWheel } from "./made-wheel.ts";

const [cpuWheel, gpuWheel, armWheel] = libraryWheels;
const request = {
  kind: "cpu" as const,
  version: "2.20.0",
  from: undefined,
  isClassic: false,
  isUnpinned: false,
  architecture: "x86_64" as const,
  signal: new AbortController().signal,
};

test.each([
  [{ kind: "cpu", architecture: "x86_64" }, cpuWheel],
  [{ kind: "gpu", architecture: "x86_64" }, gpuWheel],
  [{ kind: "cpu", architecture: "aarch64" }, armWheel],
] as const)("takes the pinned wheel for %o", async (asked, wheel) => {
  const source = await chooseSource({ ...request, ...asked });

  expect(source).toMatchObject({ place: { from: "index", package: wheel?.package }, pin: wheel, kind: asked.kind });
  expect(source.name).toBe(`${asked.kind}-2.20.0-${wheel?.sha256.slice(0, 12)}`);
});

test("refuses a GPU library for 64-bit Arm, which nobody makes", async () => {
  await expect(chooseSource({ ...request, kind: "gpu", architecture: "aarch64" })).rejects.toThrow("use --cpu");
});

test("refuses a version that is not pinned, unless it is taken unchecked", async () => {
  const unknown = { ...request, version: "9.9.9" };

  await expect(chooseSource(unknown)).rejects.toThrow(
    "expected TensorFlow 2.20.0, received 9.9.9, whose hash is not pinned",
  );
  const source = await chooseSource({ ...unknown, isUnpinned: true });
  expect(source).toMatchObject({ place: { version: "9.9.9" }, pin: undefined });
  expect(describeSource(source)).toBe("TensorFlow 9.9.9 for the CPU");
});

test("takes the package's own archive for --classic, by its pinned hash", async () => {
  const source = await chooseSource({ ...request, kind: "gpu", version: "2.9.1", isClassic: true });

  expect(source.place).toMatchObject({
    url: expect.stringMatching(/libtensorflow-gpu-linux-x86_64-2\.9\.1\.tar\.gz$/),
  });
  expect(source.pin).toBe(classicArchives[0]);
  await expect(chooseSource({ ...request, isClassic: true, architecture: "aarch64" })).rejects.toThrow(
    "expected x86_64",
  );
});

test("takes a file that is not pinned only unchecked, and knows it again by its contents", async () => {
  const folder = await temporaryFolder();
  const from = await makeWheel(folder);
  const copy = await makeWheel(folder, {
    name: "other.whl",
    members: { "tensorflow/libtensorflow_cc.so.2": "another" },
  });

  await expect(chooseSource({ ...request, from })).rejects.toThrow(`${from}: no hash is pinned for it`);
  const source = await chooseSource({ ...request, from, isUnpinned: true });
  expect(source).toMatchObject({ place: { from: "file", path: from }, pin: undefined });
  expect((await chooseSource({ ...request, from, isUnpinned: true })).name).toBe(source.name);
  expect((await chooseSource({ ...request, from: copy, isUnpinned: true })).name).not.toBe(source.name);
});

test("holds a file that is named like a pinned one to that pin", async () => {
  const from = await makeWheel(await temporaryFolder(), { name: cpuWheel?.file ?? "" });

  expect((await chooseSource({ ...request, from, isUnpinned: true })).pin).toBe(cpuWheel);
});

test("takes a folder only unchecked", async () => {
  const from = join(await temporaryFolder(), "site-packages");
  await mkdir(from);

  await expect(chooseSource({ ...request, from })).rejects.toThrow(`${from}: no hash is pinned for it`);
  expect((await chooseSource({ ...request, from, isUnpinned: true })).place).toEqual({ from: "folder", path: from });
});

test("says when there is nothing to take it from", async () => {
  await expect(chooseSource({ ...request, from: "/nowhere" })).rejects.toThrow(
    "--from /nowhere: there is no such file or folder",
  );
});

test("knows a pinned file by its address", async () => {
  const from = `https://mirror.example/wheels/${gpuWheel?.file}`;

  expect(await chooseSource({ ...request, from })).toMatchObject({
    place: { from: "url" },
    pin: gpuWheel,
    kind: "gpu",
  });
});

test("pins are whole: a hash each, a file once, its version in its name", () => {
  const pins = [...libraryWheels, ...classicArchives, ...cudaWheels];

  expect(pins.filter(({ sha256 }) => !/^[0-9a-f]{64}$/.test(sha256))).toEqual([]);
  expect(pins.filter(({ file, version }) => !file.includes(`-${version}`))).toEqual([]);
  expect(new Set(pins.map(({ sha256 }) => sha256)).size).toBe(pins.length);
});
