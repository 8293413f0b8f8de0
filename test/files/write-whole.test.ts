import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { writeTogether, writeWhole } from "../../files/write-whole.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";

const diskIsFull = "the disk is full: make room, or choose another place, and start again";

describe("a file", () => {
  test("takes the place of the earlier one, with the rights that were asked for, and leaves nothing else", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "a");
    await writeWhole(path, ["old"]);
    await writeWhole(path, ["n", Buffer.from("e"), "w"], { mode: 0o600 });
    expect(await readFile(path, "utf8")).toBe("new");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(["a"]);
  });

  test("leaves the earlier one alone where it is not to be replaced", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "a");
    await writeWhole(path, ["first"], { replaces: false });
    await writeWhole(path, ["second"], { replaces: false });
    expect(await readFile(path, "utf8")).toBe("first");
    expect(await readdir(folder)).toEqual(["a"]);
  });

  test("stays as it was where the disk is full, under whatever temporary name", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "a");
    await writeFile(path, "old");
    for (const temporary of [undefined, join(folder, "other.partial")]) {
      await symlink("/dev/full", temporary ?? `${path}.partial`);
      const writing = temporary === undefined ? {} : { temporary };
      await expect(writeWhole(path, ["new"], writing)).rejects.toThrow(`${path}: ${diskIsFull}`);
    }
    expect(await readFile(path, "utf8")).toBe("old");
    expect(await readdir(folder)).toEqual(["a"]);
  });
});

test("a folder where the file would grow is named, and neither it nor the earlier file is harmed", async () => {
  const folder = await temporaryFolder();
  const path = join(folder, "a");
  await writeFile(path, "old");
  await mkdir(`${path}.partial`);
  await expect(writeWhole(path, ["new"])).rejects.toThrow(`${path}.partial: it is a folder, expected a file`);
  expect(await readFile(path, "utf8")).toBe("old");
  expect((await readdir(folder)).sort()).toEqual(["a", "a.partial"]);
});

test("a name that cannot be taken is told in a sentence, and nothing half written stays", async () => {
  const folder = await temporaryFolder();
  const path = join(folder, "a");
  await mkdir(join(path, "full"), { recursive: true });
  await expect(writeWhole(path, ["new"])).rejects.toThrow(`${path}: it is a folder, expected a file`);
  expect(await readdir(folder)).toEqual(["a"]);
});

describe("files that belong together", () => {
  test("take their names together, and say what they hold", async () => {
    const folder = await temporaryFolder();
    await writeTogether(async (write) => {
      expect(await write(join(folder, "a"), ["one\n"])).toMatchObject({ bytes: 4 });
      await write(join(folder, "b"), ["two\n"]);
      expect((await readdir(folder)).toSorted()).toEqual(["a.partial", "b.partial"]);
    });
    expect((await readdir(folder)).toSorted()).toEqual(["a", "b"]);
  });

  test("all stay as they were where one cannot be written", async () => {
    const folder = await temporaryFolder();
    await symlink("/dev/full", join(folder, "b.partial"));
    const written = writeTogether(async (write) => {
      await write(join(folder, "a"), ["new"]);
      await write(join(folder, "b"), ["new"]);
    });
    await expect(written).rejects.toThrow(`${join(folder, "b")}: ${diskIsFull}`);
    expect(await readdir(folder)).toEqual([]);
  });
});
