import { readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Dependencies, isMadeWith, StageRecords, writeOutputs } from "../../training/stage-record.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";

const dependencies = { settings: { seed: 1 }, inputs: { captions: "a".repeat(64) } };

async function writeFirst(): Promise<string> {
  const folder = join(await temporaryFolder(), "stage");
  await writeOutputs(folder, { dependencies, files: { "a.txt": ["one\n", "two\n"], "b.txt": ["old"] } });
  return folder;
}

async function isRecorded(folder: string, expected: Dependencies): Promise<boolean> {
  const record = await new StageRecords().read(folder);
  return record !== undefined && isMadeWith(record, expected);
}

describe("outputs and their record", () => {
  test("are written whole, with nothing temporary left", async () => {
    const folder = await writeFirst();
    expect((await readdir(folder)).toSorted()).toEqual(["a.txt", "b.txt", "settings.json"]);
    expect(await readFile(join(folder, "a.txt"), "utf8")).toBe("one\ntwo\n");
    expect(await isRecorded(folder, dependencies)).toBe(true);
  });

  test.each([
    ["other settings", { ...dependencies, settings: { seed: 2 } }],
    ["one setting more", { ...dependencies, settings: { seed: 1, epochs: 3 } }],
    ["another input", { ...dependencies, inputs: { captions: "b".repeat(64) } }],
    ["one input less", { ...dependencies, inputs: {} }],
  ])("do not stand for %s", async (_, others) => {
    expect(await isRecorded(await writeFirst(), others)).toBe(false);
  });

  test("count as not done when a kill came between two renames", async () => {
    const folder = await writeFirst();
    await writeFile(join(folder, "a.txt"), "new"); // in place, while the record is still the old one
    await expect(new StageRecords().outputsOf("bake", folder)).rejects.toThrow(
      `${folder}: expected what bake writes, found none or part of it: run the stage bake first`,
    );
  });

  test("stay as they were when the disk is full, which one sentence says", async () => {
    const folder = await writeFirst();
    await symlink("/dev/full", join(folder, "b.txt.partial"));
    const files = { "a.txt": ["new"], "b.txt": ["new"] };
    await expect(writeOutputs(folder, { dependencies, files })).rejects.toThrow(
      `${join(folder, "b.txt")}: the disk is full: make room, or choose another place, and start again`,
    );
    expect(await isRecorded(folder, dependencies)).toBe(true);
    expect(await readdir(folder)).toHaveLength(3);
  });
});
