import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readDataset } from "../../../training/prepare/read-dataset.ts";
import { readPrepared } from "../../../training/prepared.ts";
import { readWordVectors } from "../../../training/word-vectors.ts";
import { temporaryFolder } from "../../fixtures/bundles.ts";
import { madePhotos } from "../../fixtures/made-images.ts";
import { isProgramThere } from "../../fixtures/programs.ts";
import { enoughCaptions } from "../made-dataset.ts";
import { runPrepare } from "../run-prepare.ts";

const isPipeMade = isProgramThere("mkfifo");

/** A folder of photos, each with a caption of its own in a text file, apart from those that have none. */
async function photosWithTexts(names: readonly string[], { without = [] }: { without?: readonly string[] } = {}) {
  const folder = await temporaryFolder();
  const photos = await madePhotos(names.length);
  for (const [index, name] of names.entries()) {
    await writeFile(join(folder, name), photos[index] ?? "");
    if (!without.includes(name)) await writeFile(join(folder, name.replace(/jpg$/, "txt")), enoughCaptions.join("\n"));
  }
  return folder;
}

describe("beside a photo", () => {
  test.skipIf(!isPipeMade)("a named pipe is no text, and nothing waits for its writer (needs mkfifo)", async () => {
    const folder = await photosWithTexts(["a.jpg", "b.jpg", "c.jpg"], { without: ["a.jpg", "c.jpg"] });
    for (const name of ["a.txt", "c.jpg.caption"]) execFileSync("mkfifo", [join(folder, name)]);
    const { photos, findings } = await readDataset({ path: folder, images: [] });
    expect(photos.map(({ file }) => file)).toEqual(["b.jpg"]);
    expect(findings.withoutCaptions).toEqual(["a.jpg", "c.jpg"]);
  });

  test("a folder is no text", async () => {
    const folder = await photosWithTexts(["a.jpg", "b.jpg"], { without: ["a.jpg"] });
    await mkdir(join(folder, "a.txt"));
    const { photos, findings } = await readDataset({ path: folder, images: [] });
    expect(photos.map(({ file }) => file)).toEqual(["b.jpg"]);
    expect(findings.withoutCaptions).toEqual(["a.jpg"]);
  });
});

describe.skipIf(!isPipeMade)("in the place of a file of data, a named pipe (needs mkfifo)", () => {
  test.each(["captions.jsonl", "captions.csv", "captions.json"])(
    "is refused, since its contents come once: %s",
    async (name) => {
      const pipe = join(await temporaryFolder(), name);
      execFileSync("mkfifo", [pipe]);
      const message = `${pipe}: it is a named pipe, expected a file`;
      await expect(readDataset({ path: pipe, images: [] })).rejects.toThrow(message);
      await expect(readWordVectors(pipe, ["a"])).rejects.toThrow(message);
    },
  );
});

test("names that would turn a line around or break it are told in escapes", async () => {
  const photos = ["a.jpg", "b\u202Egpj.jpg", "c\u200Bd.jpg", "e\nf.jpg"];
  const folder = await photosWithTexts(photos, { without: photos.slice(1) });
  const { said } = await runPrepare({ data: folder });
  expect(said).toContain("3 photos without captions, not used: b\\u202egpj.jpg, c\\u200bd.jpg, e\\nf.jpg\n");
});

test("names that are no UTF-8 are found, beside their texts and from a list of captions", async () => {
  const folder = await temporaryFolder();
  const [one, other] = await madePhotos(2);
  const inFolder = (name: string) => Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name, "latin1")]);
  await writeFile(inFolder("M\xFCller.jpg"), one ?? "");
  await writeFile(inFolder("b.jpg"), other ?? "");
  await writeFile(inFolder("M\xFCller.txt"), enoughCaptions.join("\n"));
  await writeFile(inFolder("b.txt"), enoughCaptions.join("\n"));
  const file = "M\uDCFCller.jpg";
  const texts = await runPrepare({ data: folder });
  expect((await readPrepared(texts)).photos.map((photo) => photo.file)).toEqual([file, "b.jpg"]);
  const lists = {
    "own.jsonl": [file, "b.jpg"].map((image) => JSON.stringify({ image, captions: enoughCaptions })).join("\n"),
    "table.csv": `path,caption\n${["M\\xFCller.jpg", "b.jpg"].flatMap((path) => enoughCaptions.map((caption) => `${path},${caption}\n`)).join("")}`,
  };
  for (const [name, contents] of Object.entries(lists)) {
    await writeFile(join(folder, name), contents);
    const listed = await runPrepare({ data: join(folder, name) });
    expect((await readPrepared(listed)).photos.map((photo) => photo.file)).toEqual([file, "b.jpg"]);
  }
});
