import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { addCuda, listCuda } from "../../../scripts/setup-native/add-cuda.ts";
import { openCache } from "../../../scripts/setup-native/cache.ts";
import { temporaryFolder } from "../../fixtures/bundles.ts";
import { useFakePrograms } from "./fake-programs.ts";
import { makeWheel } from "./made-wheel.ts";
import { keepQuiet } from "./quiet.ts";

const metadata = `Name: tensorflow
Requires-Dist: numpy>=1.26.0
Requires-Dist: nvidia-made-cu12<13.0,>=1.2.3; extra == "and-cuda"
Requires-Dist: nvidia-cuda-nvcc-cu12<13.0,>=12.5.82; extra == "and-cuda"
`;
const members = {
  "nvidia/made/lib/libmade.so.12": "CUDA",
  "nvidia/made/include/made.h": "what nothing loads",
  "nvidia_made_cu12-1.2.3.dist-info/METADATA": "",
};

let folder: string;
let root: string;

beforeEach(async () => {
  keepQuiet();
  folder = await temporaryFolder();
  root = join(folder, "root");
  await mkdir(join(root, "deps"), { recursive: true });
  await writeFile(join(root, "METADATA"), metadata);
});

test("fetches the lowest version of each package that the wheel names, and keeps their libraries", async () => {
  const calls = await useFakePrograms(folder, { wheel: await makeWheel(folder, { members }) });
  await add();

  expect((await calls()).filter((call) => call.startsWith("requirement"))).toEqual([
    "requirement nvidia-made-cu12==1.2.3",
  ]);
  expect(await listCuda(root)).toEqual([join(root, "deps/nvidia/made/lib")]);
  expect(await readFile(join(root, "deps/nvidia/made/lib/libmade.so.12"), "utf8")).toBe("CUDA");
  expect(await readdir(join(root, "deps/nvidia/made"))).toEqual(["lib"]);
});

test("does nothing where they are there already", async () => {
  const calls = await useFakePrograms(folder, { wheel: await makeWheel(folder, { members }) });
  await add();
  const before = await calls();
  await add();

  expect(await calls()).toEqual(before);
});

test("refuses a package without a pinned hash", async () => {
  await useFakePrograms(folder);

  await expect(add({ isUnpinned: false })).rejects.toThrow("nvidia-made-cu12 1.2.3: no hash is pinned for it");
});

test("says where to put what pip cannot fetch, and leaves nothing half-done", async () => {
  await useFakePrograms(folder);

  await expect(add()).rejects.toThrow(
    `fetch nvidia-made-cu12 elsewhere and put it into ${join(folder, "cache/downloads")}`,
  );
  expect(await readdir(join(root, "deps"))).toEqual([]);
  expect(await listCuda(root)).toEqual([]);
});

test("needs a wheel, which names the packages", async () => {
  await expect(add({ root: folder })).rejects.toThrow("expected TensorFlow from a wheel for --with-cuda");
});

async function add({ isUnpinned = true, root: place = root } = {}): Promise<void> {
  const { signal } = new AbortController();
  await addCuda({
    root: place,
    isUnpinned,
    cache: await openCache(join(folder, "cache")),
    architecture: "x86_64",
    signal,
  });
}
