import { existsSync } from "node:fs";
import { readdir, readFile, readlink, stat, truncate } from "node:fs/promises";
import { basename, join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { nativePackageFolder } from "../../../captioner/engines/native-setup.ts";
import { openCache } from "../../../scripts/setup-native/cache.ts";
import type { Source } from "../../../scripts/setup-native/choose-source.ts";
import { prepareLibrary } from "../../../scripts/setup-native/prepare-library.ts";
import { temporaryFolder } from "../../fixtures/bundles.ts";
import { useFakePrograms } from "./fake-programs.ts";
import { makeWheel, pinOf, tensorflowMembers } from "./made-wheel.ts";
import { keepQuiet } from "./quiet.ts";

const file = "tensorflow_cpu-9.9.9-cp311-cp311-manylinux2014_x86_64.whl";
const place = { from: "index", package: "tensorflow-cpu", version: "9.9.9" } as const;

let folder: string;
let cacheFolder: string;

beforeEach(async () => {
  keepQuiet();
  folder = await temporaryFolder();
  cacheFolder = join(folder, "cache");
});

test("makes a folder with the library and the binding that was built for it", async () => {
  const { source, wheel } = await makeSource();
  const calls = await useFakePrograms(folder, { wheel });
  const root = await prepare(source);

  expect(await readFile(join(root, "lib/napi-v8/tfjs_binding.node"), "utf8")).toBe("the binding");
  expect(await readFile(join(root, "deps/lib/libtensorflow_cc.so.2"), "utf8")).toBe("the library");
  expect(await readlink(join(root, "deps/lib/libtensorflow.so"))).toBe("libtensorflow_cc.so.2");
  expect(await readlink(join(root, "deps/lib/libtensorflow_framework.so"))).toBe("libtensorflow_framework.so.2");
  expect((await readdir(root)).sort()).toEqual(["METADATA", "deps", "lib"]);
  expect((await stat(root)).mode & 0o777).toBe(0o755);
  expect(await calls()).toContain(`requirement tensorflow-cpu==9.9.9 --hash=sha256:${source.pin?.sha256}`);
  expect(await calls()).toContainEqual(expect.stringContaining("--platform manylinux2014_x86_64"));
});

test("does nothing where the folder is there already", async () => {
  const { source, wheel } = await makeSource();
  const calls = await useFakePrograms(folder, { wheel });
  const root = await prepare(source);
  const before = { calls: await calls(), changed: (await stat(root)).ctimeMs };

  expect(await prepare(source)).toBe(root);
  expect({ calls: await calls(), changed: (await stat(root)).ctimeMs }).toEqual(before);
});

test("builds again when forced, from the wheel that it kept", async () => {
  const { source, wheel } = await makeSource();
  const calls = await useFakePrograms(folder, { wheel });
  await prepare(source);
  await prepare(source, { isForced: true });

  expect((await calls()).filter((call) => call.startsWith("pip"))).toHaveLength(1);
  expect((await calls()).filter((call) => call === "node-gyp build")).toHaveLength(2);
});

test("fetches again what was cut in the cache", async () => {
  const { source, wheel } = await makeSource();
  const calls = await useFakePrograms(folder, { wheel });
  await prepare(source);
  await truncate(join(cacheFolder, "downloads", file), 100);
  await prepare(source, { isForced: true });

  expect((await calls()).filter((call) => call.startsWith("pip"))).toHaveLength(2);
});

test("refuses a wheel with another hash, and keeps nothing of it", async () => {
  const { source } = await makeSource();
  const other = await makeWheel(folder, {
    name: file,
    members: { ...tensorflowMembers, "tensorflow/libtensorflow_cc.so.2": "the LIBRARY" },
  });
  await useFakePrograms(folder, { wheel: other });

  await expect(prepare(source)).rejects.toThrow(`expected sha256 ${source.pin?.sha256} for ${file}, found `);
  await expectNothingLeft();
});

test("refuses a wheel that was cut on the way, and keeps nothing of it", async () => {
  const { source, wheel } = await makeSource();
  await truncate(wheel, 200);
  await useFakePrograms(folder, { wheel });

  await expect(prepare(source)).rejects.toThrow(`expected ${source.pin?.size?.bytes} bytes for ${file}, found 200`);
  await expectNothingLeft();
});

test("names the member that a wheel lacks, and keeps nothing of it", async () => {
  const { "tensorflow/libtensorflow_framework.so.2": _, ...members } = tensorflowMembers;
  const { source, wheel } = await makeSource(members);
  await useFakePrograms(folder, { wheel });

  await expect(prepare(source)).rejects.toThrow(
    /\.whl: expected tensorflow\/libtensorflow_framework\.so\.2 in it, found none$/,
  );
  expect(await readdir(join(cacheFolder, "tensorflow"))).toEqual([]);
});

test("says what the compiler said, and keeps only its log", async () => {
  const { source, wheel } = await makeSource({
    ...tensorflowMembers,
    "tensorflow/include/tensorflow/c/c_api.h": "broken",
  });
  await useFakePrograms(folder, { wheel });

  await expect(prepare(source)).rejects.toThrow(
    /^the binding could not be built \(c_api\.h:1: error: broken\): see .*build\.log$/,
  );
  expect(await readdir(join(cacheFolder, "tensorflow"))).toEqual(["build.log"]);
});

test("misses the compiler before it fetches anything", async () => {
  const { source, wheel } = await makeSource();
  const calls = await useFakePrograms(folder, { wheel, compiler: "absent" });

  await expect(prepare(source)).rejects.toThrow("found no g++ and no make: install them");
  expect(await calls()).toEqual([]);
});

test("says what to fetch elsewhere when pip cannot reach its index", async () => {
  const { source } = await makeSource();
  await useFakePrograms(folder);

  await expect(prepare(source)).rejects.toThrow(
    `pip could not fetch tensorflow-cpu==9.9.9 (it ended with 1: ERROR: Could not find a version (from versions: none)): see that its package index can be reached, or fetch ${file} elsewhere and pass it with --from`,
  );
  await expectNothingLeft();
});

test("says what to fetch elsewhere when there is no pip", async () => {
  const { source } = await makeSource();
  await useFakePrograms(folder, { pip: "absent" });

  await expect(prepare(source)).rejects.toThrow(
    `expected pip to fetch tensorflow-cpu with, found none (tried python3 -m pip, pip3, pip): install it, or fetch ${file} elsewhere and pass it with --from`,
  );
});

test("stops in the middle when it is interrupted, and keeps nothing", async () => {
  const { source, wheel } = await makeSource();
  await useFakePrograms(folder, { wheel });
  const ending = new AbortController();
  const preparing = prepare(source, { signal: ending.signal });
  ending.abort(new Error("interrupted"));

  await expect(preparing).rejects.toThrow();
  await expectNothingLeft();
});

async function makeSource(members = tensorflowMembers): Promise<{ source: Source; wheel: string }> {
  const wheel = await makeWheel(folder, { name: file, members });
  const pin = await pinOf(wheel, { file: basename(wheel) });
  return { wheel, source: { place, kind: "cpu", pin, name: "made" } };
}

async function prepare(
  source: Source,
  { isForced = false, signal = new AbortController().signal } = {},
): Promise<string> {
  const packageFolder = nativePackageFolder() ?? "";
  return prepareLibrary(source, {
    cache: await openCache(cacheFolder),
    architecture: "x86_64",
    packageFolder,
    isForced,
    signal,
  });
}

async function expectNothingLeft(): Promise<void> {
  expect(existsSync(join(cacheFolder, "downloads"))).toBe(true);
  expect(await readdir(join(cacheFolder, "downloads"))).toEqual([]);
  expect(await readdir(join(cacheFolder, "tensorflow"))).toEqual([]);
}
