import { copyFile, lstat, mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ExifTool } from "exiftool-vendored";
import sharp from "sharp";
import { afterAll, describe, expect, onTestFinished, test, vi } from "vitest";
import type { RawTags } from "../../files/exiftool.ts";
import { readCsv } from "../../files/read-csv.ts";
import { captionResultSchema } from "../../shared/contract.ts";
import { imageFormats } from "../../shared/image-header.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { madeImage, madePhotos, textFile } from "../fixtures/made-images.ts";
import { heicPath, photoPath } from "../fixtures/real-photos.ts";
import { captionTiny, edgeCaptionIn } from "./run-command.ts";

const exiftool = new ExifTool();
afterAll(() => exiftool.end());

/** Writes tags as another program would. */
async function setTags(file: string, tags: RawTags): Promise<void> {
  await exiftool.write(file, tags, { writeArgs: ["-overwrite_original"] });
}

/** Of a file's metadata, what captions are about and what they must leave alone. */
async function readTags(file: string): Promise<Record<string, unknown>> {
  const tags = [
    "XMP-dc:Description",
    "IPTC:Caption-Abstract",
    "XMP-photoshop:CaptionWriter",
    "IFD0:Make",
    "XMP-xmp:Rating",
  ];
  const {
    SourceFile: _,
    errors: __,
    warnings: ___,
    ...found
  } = await exiftool.readRaw(file, {
    readArgs: ["-G1", ...tags.map((tag) => `-${tag}`)],
  });
  return found;
}

async function pixelsOf(file: string): Promise<Buffer> {
  return sharp(await readFile(file), { pages: -1 })
    .raw()
    .toBuffer();
}

async function jsonLines(path: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(path, "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe("all outputs at once", () => {
  test("hold every photo's caption, whatever its name, and leave its pixels, times and other metadata alone", async () => {
    const folder = await temporaryFolder();
    const names = [
      "a b.jpg",
      'it\'s "quoted", really.jpg',
      "two\nlines.jpg",
      "🐕.jpg",
      `${"n".repeat(246)}.jpg`,
      "sub/deep.jpg",
    ];
    await mkdir(join(folder, "photos/sub"), { recursive: true });
    for (const [index, bytes] of (await madePhotos(names.length, { width: 80, height: 60 })).entries()) {
      await writeFile(join(folder, "photos", names[index] ?? ""), bytes);
    }
    const plain = join(folder, "photos/a b.jpg");
    await setTags(plain, { Make: "Acme", "XMP-xmp:Rating": 4 });
    await utimes(plain, 1_000_000, 1_000_000);
    const before = await pixelsOf(plain);

    const outputs = ["--jsonl", "a.jsonl", "--csv", "a.csv", "--html", "a.html", "--txt", "--xmp", "--embed"];
    const { code, stdout, stderr } = await captionTiny(folder, "photos", ...outputs);
    expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: "" });

    const lines = await jsonLines(join(folder, "a.jsonl"));
    const captions = new Map(lines.map(({ path, result }) => [path, captionResultSchema.parse(result).caption]));
    expect([...captions.keys()].toSorted()).toEqual(names.map((name) => `photos/${name}`).toSorted());
    const { rows } = await readCsv(join(folder, "a.csv"), { needs: ["path", "caption"] });
    expect(new Map(rows.map(({ path, caption }) => [path, caption]))).toEqual(captions);
    for (const [path, caption] of captions) {
      const file = join(folder, String(path));
      expect(await readFile(file.replace(/\.jpg$/, ".txt"), "utf8")).toBe(`${caption}\n`);
      const link = join(folder, "link.jpg"); // ExifTool takes no path with an end of line
      await writeFile(link, await readFile(file));
      expect(await readTags(link)).toMatchObject({ "XMP-dc:Description": caption, "IPTC:Caption-Abstract": caption });
      expect(await readFile(`${file}.xmp`, "utf8")).toContain(`>${caption}</rdf:li>`);
    }
    expect(await readTags(plain)).toMatchObject({ "IFD0:Make": "Acme", "XMP-xmp:Rating": 4 });
    expect((await stat(plain)).mtimeMs).toBe(1_000_000_000);
    expect(await pixelsOf(plain)).toEqual(before);
    expect((await readdir(join(folder, "photos"))).filter((name) => name.startsWith("."))).toEqual([]);
  });
});

describe("a caption inside a photo", () => {
  test("is written in every format, and does not make the photo a new one", async () => {
    const folder = await temporaryFolder();
    for (const format of imageFormats) await writeFile(join(folder, `photo.${format}.jpg`), await madeImage(format)); // of whatever name
    const pixels = new Map(
      await Promise.all(
        imageFormats.map(async (format) => [format, await pixelsOf(join(folder, `photo.${format}.jpg`))] as const),
      ),
    );
    const args = [".", "--embed", "--jsonl", "a.jsonl", "--csv", "a.csv"];
    expect(await captionTiny(folder, ...args)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("6 captioned"),
    });
    const [lines, table] = [
      await readFile(join(folder, "a.jsonl"), "utf8"),
      await readFile(join(folder, "a.csv"), "utf8"),
    ];

    expect((await captionTiny(folder, ...args)).stderr).toMatch(/\n6 had their caption already\n$/);
    expect(await readFile(join(folder, "a.jsonl"), "utf8")).toBe(lines);
    expect(await readFile(join(folder, "a.csv"), "utf8")).toBe(table);
    for (const format of imageFormats) {
      const file = join(folder, `photo.${format}.jpg`);
      expect(await pixelsOf(file), format).toEqual(pixels.get(format));
      const copy = join(folder, `copy.${format}`);
      await copyFile(file, copy);
      expect(await readTags(copy), format).toMatchObject({
        "XMP-photoshop:CaptionWriter": expect.stringMatching(/^edge-caption tiny/),
      });
    }
  });

  test("is written in a phone's HEIC photo, which is captioned once and shown in the gallery", async () => {
    const folder = await temporaryFolder();
    await copyFile(heicPath, join(folder, "phone.HEIC"));
    const args = [".", "--embed", "--jsonl", "a.jsonl", "--html", "a.html"];
    expect((await captionTiny(folder, ...args)).stderr).toContain("1 captioned");
    expect(await readTags(join(folder, "phone.HEIC"))).toHaveProperty("XMP-dc:Description");
    expect(await readFile(join(folder, "a.html"), "utf8")).toContain('<img src="data:image/webp;base64,');
    expect((await captionTiny(folder, ...args)).stderr).toContain("1 had their caption already");
  });

  test("follows links, several at once, to their photo, and is not written into what is no photo", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "photos/links"), { recursive: true });
    await copyFile(photoPath("coffee"), join(folder, "photos/real.jpg"));
    for (const name of ["a", "b", "c", "d"]) {
      await symlink(join(folder, "photos/real.jpg"), join(folder, `photos/links/${name}.jpg`));
    }
    await writeFile(join(folder, "photos/broken.jpg"), textFile());
    const { code, stderr } = await captionTiny(folder, "photos", "--embed");
    expect(code).toBe(1);
    expect(stderr).toContain("photos/broken.jpg: expected a JPEG");
    expect(stderr).toMatch(/ 1 failed\n$/);
    expect((await lstat(join(folder, "photos/links/a.jpg"))).isSymbolicLink()).toBe(true);
    expect(await readTags(join(folder, "photos/real.jpg"))).toHaveProperty("XMP-dc:Description");
  });

  test("does not follow a link out of the folder, in a folder, by a pattern, by its name or from a list", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "photos"));
    await mkdir(join(folder, "private"));
    const secret = join(folder, "private/real.jpg");
    await copyFile(photoPath("coffee"), secret);
    await symlink(secret, join(folder, "photos/link.jpg"));
    await symlink(join(folder, "private"), join(folder, "photos/below"));
    await writeFile(join(folder, "table.csv"), "path,caption\nphotos/link.jpg,Mine\n");
    const before = await readFile(secret);
    for (const place of ["photos", "photos/**/*.jpg", "photos/link.jpg"]) {
      const { code, stderr } = await captionTiny(folder, place, "--embed", "--state", "state.jsonl");
      expect(code, place).toBe(1);
      expect(stderr, place).toContain(`photos/link.jpg: it leads to ${secret}, outside of the folders that were named`);
    }
    const applied = await edgeCaptionIn(folder, "apply", "table.csv", "--root", "photos/..", "--embed");
    expect(applied.code).toBe(0); // the root has them both
    await writeFile(secret, before);
    await writeFile(join(folder, "photos/table.csv"), "path,caption\nlink.jpg,Mine\n");
    const { stderr } = await edgeCaptionIn(folder, "apply", "photos/table.csv", "--root", "photos", "--embed");
    expect(stderr).toContain(`link.jpg: it leads to ${secret}, outside`);
    expect(await readFile(secret)).toEqual(before);
  });
});

describe("what a person wrote", () => {
  test("stays, in the photo, in sidecars and in the table, until --overwrite", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "coffee.jpg");
    await copyFile(photoPath("coffee"), file);
    await setTags(file, { "IPTC:Caption-Abstract": "Mine" });
    await setTags(`${file}.xmp`, { "XMP-xmp:Rating": 5, "XMP-dc:Description": "Mine" });
    await writeFile(join(folder, "coffee.txt"), "Mine\n");
    const args = [".", "--embed", "--xmp", "--txt"];
    expect((await captionTiny(folder, ...args)).stderr).toContain("1 kept what a person wrote");
    expect(await readTags(file)).toEqual({ "IPTC:Caption-Abstract": "Mine" });
    expect(await readTags(`${file}.xmp`)).toEqual({ "XMP-dc:Description": "Mine", "XMP-xmp:Rating": 5 });
    expect(await readFile(join(folder, "coffee.txt"), "utf8")).toBe("Mine\n");

    await captionTiny(folder, ...args, "--overwrite");
    const caption = (await readFile(join(folder, "coffee.txt"), "utf8")).trim();
    expect(caption).not.toBe("Mine");
    expect(await readTags(file)).toMatchObject({ "IPTC:Caption-Abstract": caption, "XMP-dc:Description": caption });
    expect(await readTags(`${file}.xmp`)).toMatchObject({ "XMP-dc:Description": caption, "XMP-xmp:Rating": 5 });
  });

  test("is distinguished from what a camera wrote, and from our own captions, which another model's replace", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "coffee.jpg");
    await copyFile(photoPath("coffee"), file);
    await setTags(file, { "EXIF:ImageDescription": "OLYMPUS DIGITAL CAMERA" });
    await captionTiny(folder, ".", "--embed");
    const first = await readTags(file);
    expect(first).toHaveProperty("XMP-dc:Description");
    await edgeCaptionIn(folder, "caption", ".", "--embed", "--state", "another.jsonl");
    expect((await readTags(file))["XMP-dc:Description"]).not.toBe(first["XMP-dc:Description"]);
    expect((await exiftool.readRaw(file, { readArgs: ["-ImageDescription"] })).ImageDescription).toBe(
      (await readTags(file))["XMP-dc:Description"],
    );
  });

  test("is not hidden behind a sidecar of ours", async () => {
    const folder = await temporaryFolder();
    await copyFile(photoPath("coffee"), join(folder, "coffee.jpg"));
    await setTags(join(folder, "coffee.jpg"), { "XMP-dc:Description": "Mine" });
    await captionTiny(folder, ".", "--xmp", "--xmp-name", "stem");
    expect(await readdir(folder)).not.toContain("coffee.xmp");
  });
});

describe("files that are somebody else's", () => {
  test.each(["--jsonl", "--csv", "--html", "--state"])("are not written to by %s", async (flag) => {
    const folder = await temporaryFolder();
    await copyFile(photoPath("coffee"), join(folder, "coffee.jpg"));
    await writeFile(join(folder, "notes"), "my notes,\nwithout an end");
    const { code, stderr } = await captionTiny(folder, "coffee.jpg", flag, "notes");
    expect(code).toBe(1);
    expect(stderr).toMatch(/notes.*: expected /);
    expect(await readFile(join(folder, "notes"), "utf8")).toBe("my notes,\nwithout an end");
  });

  test("two photos cannot have one sidecar, which is reported for the second", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "a.jpg"), await madeImage("jpeg"));
    await writeFile(join(folder, "a.png"), await madeImage("png"));
    const { code, stderr } = await captionTiny(folder, ".", "--txt");
    expect(code).toBe(1);
    expect(stderr).toContain("a.png: a.txt belongs to a.jpg already");
  });
});

test("a spreadsheet's changes to the table stay, its own columns too, and a photo that changed gets a new caption in its place", async () => {
  const folder = await temporaryFolder();
  const [first, second, third] = await madePhotos(3, { width: 80, height: 60 });
  for (const [name, bytes] of Object.entries({ "1.jpg": first, "2.jpg": second }))
    await writeFile(join(folder, name), bytes ?? "");
  await captionTiny(folder, ".", "--csv", "a.csv");
  const text = await readFile(join(folder, "a.csv"), "utf8");
  const [heading = "", one = "", two = ""] = text.split("\n");
  const corrected = one.replace(/^1.jpg,[^,]*,/, '1.jpg,"A dog, my ""best"" one",');
  await writeFile(join(folder, "a.csv"), `${heading},notes\n${two},keep\n${corrected},\n`);
  await writeFile(join(folder, "2.jpg"), third ?? "");
  await captionTiny(folder, ".", "--csv", "a.csv");
  const { rows } = await readCsv(join(folder, "a.csv"), { needs: [] });
  expect(rows).toMatchObject([
    { path: "2.jpg", notes: "keep" },
    { path: "1.jpg", caption: 'A dog, my "best" one', notes: "" },
  ]);
  expect(rows[0]?.id).not.toBe(two.split(",")[4]);
});

test("without perl, outputs that need it are refused before anything is captioned", async () => {
  const folder = await temporaryFolder();
  await copyFile(photoPath("rocket"), join(folder, "rocket.jpg"));
  await writeFile(join(folder, "a.csv"), "path,caption\nrocket.jpg,a rocket\n");
  vi.stubEnv("PATH", folder);
  onTestFinished(() => void vi.unstubAllEnvs());
  const expected = {
    code: 1,
    stderr: "expected perl, which ExifTool runs on: install it, or leave --xmp and --embed out\n",
  };
  expect(await captionTiny(folder, ".", "--embed")).toMatchObject(expected);
  expect(await edgeCaptionIn(folder, "apply", "a.csv", "--xmp")).toMatchObject(expected);
  expect(await readdir(folder)).toEqual(["a.csv", "rocket.jpg"]);
});
