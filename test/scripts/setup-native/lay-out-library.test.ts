import { mkdir, readdir, readFile, symlink, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { create } from "tar";
import { beforeEach, expect, test } from "vitest";
import { layOutLibrary } from "../../../scripts/setup-native/lay-out-library.ts";
import { temporaryFolder } from "../../fixtures/bundles.ts";
import { type Members, makeWheel, tensorflowMembers } from "./made-wheel.ts";
import { keepQuiet } from "./quiet.ts";

const classicMembers: Members = {
  "lib/libtensorflow.so.2.9.1": "the library",
  "lib/libtensorflow_framework.so.2.9.1": "the framework",
  "include/tensorflow/c/c_api.h": "the interface",
  "include/tensorflow/c/eager/c_api.h": "the eager interface",
};

let root: string;

beforeEach(async () => {
  keepQuiet();
  root = await temporaryFolder();
});

test("takes from a wheel what the binding is built with, and little else", async () => {
  await layOut(await makeWheel(await temporaryFolder()));

  expect(await listFiles("deps/include")).toEqual([
    "tensorflow/c/c_api.h",
    "tensorflow/c/eager/c_api.h",
    "xla/tsl/c/tsl_status.h",
  ]);
  expect(await readLibrary()).toBe("the library");
  expect(await readFile(join(root, "METADATA"), "utf8")).toContain("Version: 9.9.9");
});

test.each([
  ["an unpacked wheel", ""],
  ["its tensorflow folder", "tensorflow"],
])("takes the same from %s", async (_, below) => {
  const folder = await writeMembers(tensorflowMembers);
  await layOut(join(folder, below));

  expect(await listFiles("deps/include")).toEqual([
    "tensorflow/c/c_api.h",
    "tensorflow/c/eager/c_api.h",
    "xla/tsl/c/tsl_status.h",
  ]);
  expect(await readLibrary()).toBe("the library");
});

test("takes libtensorflow from its archive, links and all", async () => {
  await layOut(await makeArchive());

  expect(await readLibrary()).toBe("the library");
  expect((await readdir(join(root, "deps/lib"))).sort()).toEqual([
    "libtensorflow.so",
    "libtensorflow.so.2.9.1",
    "libtensorflow_framework.so",
    "libtensorflow_framework.so.2.9.1",
  ]);
});

test("takes libtensorflow from its unpacked archive", async () => {
  await layOut(await writeClassic());

  expect(await readLibrary()).toBe("the library");
});

test.each([["tensorflow/libtensorflow_cc.so.2"], ["tensorflow/include/tensorflow/c/eager/c_api.h"]])(
  "names %s where a wheel lacks it",
  async (missing) => {
    const { [missing]: _, ...members } = tensorflowMembers;
    const wheel = await makeWheel(await temporaryFolder(), { members });

    await expect(layOut(wheel)).rejects.toThrow(`${wheel}: expected ${missing} in it, found none`);
  },
);

test("says what a folder without TensorFlow lacks", async () => {
  const folder = await temporaryFolder();

  await expect(layOut(folder)).rejects.toThrow(
    `${folder}: expected tensorflow/libtensorflow_cc.so.2 in it, found none`,
  );
});

test("names an archive that was cut", async () => {
  const archive = await makeArchive();
  await truncate(archive, 60);

  await expect(layOut(archive)).rejects.toThrow(`${archive}: `);
});

test("refuses a file that is neither wheel nor archive", async () => {
  const file = join(await temporaryFolder(), "libtensorflow.rpm");
  await writeFile(file, "");

  await expect(layOut(file)).rejects.toThrow(`${file}: expected a wheel (.whl), an archive (.tar.gz) or a folder`);
});

function layOut(from: string): Promise<void> {
  return layOutLibrary(from, { root, signal: new AbortController().signal });
}

async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => join(entry.parentPath, entry.name).slice(join(root, folder).length + 1)).sort();
}

function readLibrary(): Promise<string> {
  return readFile(join(root, "deps/lib/libtensorflow.so"), "utf8");
}

async function writeMembers(members: Members): Promise<string> {
  const folder = await temporaryFolder();
  for (const [member, contents] of Object.entries(members)) {
    await mkdir(dirname(join(folder, member)), { recursive: true });
    await writeFile(join(folder, member), contents);
  }
  return folder;
}

async function writeClassic(): Promise<string> {
  const folder = await writeMembers(classicMembers);
  for (const name of ["libtensorflow", "libtensorflow_framework"])
    await symlink(`${name}.so.2.9.1`, join(folder, "lib", `${name}.so`));
  return folder;
}

/** As TensorFlow's own: its members begin with `./`. */
async function makeArchive(): Promise<string> {
  const file = join(await temporaryFolder(), "libtensorflow.tar.gz");
  await create({ file, gzip: true, cwd: await writeClassic() }, ["./include", "./lib"]);
  return file;
}
