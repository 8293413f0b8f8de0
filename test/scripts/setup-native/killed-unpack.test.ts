import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { temporaryFolder } from "../../fixtures/bundles.ts";
import { useFakePrograms } from "./fake-programs.ts";
import { makeWheel, tensorflowMembers } from "./made-wheel.ts";
import { prepareWheel } from "./prepare-wheel.ts";
import { keepQuiet } from "./quiet.ts";

const script = fileURLToPath(new URL("./prepare-wheel.ts", import.meta.url));
const libraryBytes = 150e6; // long enough in the unpacking to be met there

test("a kill in mid-unpack leaves nothing that a next run takes for finished", async () => {
  keepQuiet();
  const folder = await temporaryFolder();
  const cacheFolder = join(folder, "cache");
  const members = { ...tensorflowMembers, "tensorflow/libtensorflow_cc.so.2": Buffer.alloc(libraryBytes) };
  const wheel = await makeWheel(folder, { members });
  await useFakePrograms(folder);
  const setup = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), script, wheel, cacheFolder]);
  const unpacked = () => partialLibrary(join(cacheFolder, "tensorflow"));
  await vi.waitFor(async () => expect(await unpacked()).toBeGreaterThan(0), { timeout: 20_000, interval: 1 });
  setup.kill("SIGKILL");
  await once(setup, "exit");

  expect(await unpacked()).toBeLessThan(libraryBytes);
  expect(await readdir(join(cacheFolder, "tensorflow"))).toEqual([expect.stringMatching(/^\.partial-/)]);

  const root = await prepareWheel(wheel, { cacheFolder });
  expect(await readFile(join(root, "lib/napi-v8/tfjs_binding.node"), "utf8")).toBe("the binding");
  expect((await stat(join(root, "deps/lib/libtensorflow_cc.so.2"))).size).toBe(libraryBytes);
  expect(await readdir(join(cacheFolder, "tensorflow"))).toHaveLength(1);
});

/** Bytes of the library that are unpacked so far, by a run that has not ended. */
async function partialLibrary(libraries: string): Promise<number> {
  const [partial = ""] = await readdir(libraries);
  return (await stat(join(libraries, partial, "deps/lib/libtensorflow_cc.so.2"))).size;
}
