import { existsSync } from "node:fs";
import { mkdir, readdir, readlink, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { libraryEnvironment, type NativeSetup, readNativeSetup } from "../../../captioner/engines/native-setup.ts";
import { linkBinding } from "../../../scripts/setup-native/link-binding.ts";
import { temporaryFolder } from "../../fixtures/bundles.ts";

let folder: string;
let packageFolder: string;

beforeEach(async () => {
  folder = await temporaryFolder();
  packageFolder = join(folder, "package");
  await mkdir(packageFolder);
});

test("records what runs, and the service reads it", async () => {
  const setup = await makeSetup("root");
  await link(setup);

  expect(readNativeSetup(packageFolder)).toEqual(setup);
  expect(await readlink(join(packageFolder, "lib"))).toBe(join(setup.root, "lib"));
  expect((await readdir(packageFolder)).sort()).toEqual(["lib", "native.json"]);
});

test("replaces what the package's own build has left", async () => {
  await mkdir(join(packageFolder, "lib/napi-v8"), { recursive: true });
  await writeFile(join(packageFolder, "lib/napi-v8/tfjs_binding.node"), "");
  const setup = await makeSetup("root");
  await link(setup);

  expect(await readlink(join(packageFolder, "lib"))).toBe(join(setup.root, "lib"));
});

test("keeps what was set up before when the new one does not run", async () => {
  const before = await makeSetup("before");
  await link(before);

  await expect(link(await makeSetup("after"), { failure: "it does not run" })).rejects.toThrow("it does not run");
  expect(readNativeSetup(packageFolder)).toEqual(before);
  expect(await readlink(join(packageFolder, "lib"))).toBe(join(before.root, "lib"));
});

test("is not set up any more when what was set up does not run", async () => {
  const setup = await makeSetup("root");
  await link(setup);

  await expect(link(setup, { failure: "it does not run" })).rejects.toThrow("it does not run");
  expect(readNativeSetup(packageFolder)).toBeUndefined();
  expect(existsSync(join(packageFolder, "lib"))).toBe(false);
});

test("is not set up where nothing ran yet, nor where the cache is gone", async () => {
  expect(readNativeSetup(packageFolder)).toBeUndefined();
  expect(readNativeSetup(join(folder, "nowhere"))).toBeUndefined();

  const setup = await makeSetup("root");
  await link(setup);
  await rm(setup.root, { recursive: true });
  expect(readNativeSetup(packageFolder)).toBeUndefined();
});

test("names a damaged record", async () => {
  await writeFile(join(packageFolder, "native.json"), '{"tensorflow":');

  expect(() => readNativeSetup(packageFolder)).toThrow(
    /native\.json: cannot be read; npm run setup:native rewrites it$/,
  );
});

test.each([
  [[], {}, undefined],
  [[], { LD_LIBRARY_PATH: "/own" }, "/own"],
  [["/a", "/b"], {}, "/a:/b"],
  [["/a"], { LD_LIBRARY_PATH: "/own" }, "/a:/own"],
])("puts %o before the library path of %o", (libraryPath, environment, expected) => {
  expect(libraryEnvironment({ libraryPath }, environment).LD_LIBRARY_PATH).toBe(expected);
});

async function makeSetup(name: string): Promise<NativeSetup> {
  const root = join(folder, name);
  await mkdir(join(root, "lib"), { recursive: true });
  return { tensorflow: "9.9.9", kind: "cpu", root, libraryPath: ["/cuda"] };
}

function link(setup: NativeSetup, { failure }: { failure?: string } = {}): Promise<unknown> {
  return linkBinding({
    packageFolder,
    root: setup.root,
    check: async () => {
      if (failure !== undefined) throw new Error(failure);
    },
    describe: () => setup,
  });
}
