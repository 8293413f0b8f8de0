import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ExifTool } from "exiftool-vendored";
import { afterAll, expect, test } from "vitest";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { photoPath } from "../fixtures/real-photos.ts";
import { captionTiny, edgeCaptionIn } from "./run-command.ts";

const exiftool = new ExifTool();
afterAll(() => exiftool.end());

async function setTags(file: string, tags: Record<string, string | number>): Promise<void> {
  await exiftool.write(file, tags, { writeArgs: ["-overwrite_original"] });
}

/** What speaks of a caption, and a rating, which does not. */
async function readTags(file: string): Promise<Record<string, unknown>> {
  const names = ["XMP-dc:Description", "IPTC:Caption-Abstract", "IFD0:ImageDescription", "XMP-photoshop:CaptionWriter"];
  const readArgs = ["-G1", ...[...names, "XMP-xmp:Rating"].map((name) => `-${name}`)];
  const { SourceFile: _, errors: __, warnings: ___, ...tags } = await exiftool.readRaw(file, { readArgs });
  return tags;
}

test("an empty caption removes ours everywhere and for good, and never a person's", async () => {
  const folder = await temporaryFolder();
  for (const name of ["chelsea", "coffee", "rocket"] as const)
    await copyFile(photoPath(name), join(folder, `${name}.jpg`));
  await setTags(join(folder, "chelsea.jpg"), { "IFD0:ImageDescription": "OLYMPUS DIGITAL CAMERA" });
  await setTags(join(folder, "chelsea.jpg.xmp"), { "XMP-xmp:Rating": 5 });
  await setTags(join(folder, "rocket.jpg"), { "XMP-dc:Description": "Mine" });
  const outputs = ["--embed", "--xmp", "--txt"];
  await captionTiny(folder, ".", "--csv", "a.csv", ...outputs);
  expect(await readTags(join(folder, "coffee.jpg"))).toHaveProperty("XMP-dc:Description");
  const table = await readFile(join(folder, "a.csv"), "utf8");
  await writeFile(join(folder, "a.csv"), table.replace(/^(\w+\.jpg),[^,]*/gm, "$1,"));

  const { code, stderr } = await edgeCaptionIn(folder, "apply", "a.csv", ...outputs, "--overwrite");
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: expect.stringMatching(/\n3 cleared; 1 kept what a person wrote\n$/),
  });
  expect(await readTags(join(folder, "coffee.jpg"))).toEqual({});
  expect(await readTags(join(folder, "chelsea.jpg"))).toEqual({});
  expect(await readTags(join(folder, "chelsea.jpg.xmp"))).toEqual({ "XMP-xmp:Rating": 5 });
  expect(await readTags(join(folder, "rocket.jpg"))).toEqual({ "XMP-dc:Description": "Mine" });
  const left = ["a.csv", "chelsea.jpg", "chelsea.jpg.xmp", "coffee.jpg", "rocket.jpg"];
  expect((await readdir(folder)).filter((name) => !name.startsWith("."))).toEqual(left);

  await captionTiny(folder, ".", "--csv", "a.csv", ...outputs);
  expect(await readTags(join(folder, "coffee.jpg"))).toEqual({});
  expect((await readdir(folder)).filter((name) => !name.startsWith("."))).toEqual(left);
}, 120_000);

test("says which state it uses, and creates none unless it is named", async () => {
  const folder = await temporaryFolder();
  await copyFile(photoPath("coffee"), join(folder, "coffee.jpg"));
  await writeFile(join(folder, "a.csv"), "path;caption\ncoffee.jpg;Ein Café\nnone.jpg;\n", "latin1");
  const apply = (...args: string[]) => edgeCaptionIn(folder, "apply", "a.csv", "--txt", ...args);
  const { stderr } = await apply();
  expect(stderr).toContain("the table is read as Windows-1252");
  expect(stderr).toContain(`no state beside the table, in ${folder} or above: `);
  expect(await readFile(join(folder, "coffee.txt"), "utf8")).toBe("Ein Café\n");
  expect(await readdir(folder)).toEqual(["a.csv", "coffee.jpg", "coffee.txt"]);
  expect((await apply("--state", "s.jsonl")).stderr).toContain(`state: ${join(folder, "s.jsonl")}, which is new\n`);
  expect((await apply("--state", "s.jsonl")).stderr).toContain(`state: ${join(folder, "s.jsonl")}\n`);
  expect((await edgeCaptionIn(folder, "status", "--missing", "--state", "s.jsonl")).stderr).toBe(
    `state: ${join(folder, "s.jsonl")}\n`,
  );
}, 120_000);
