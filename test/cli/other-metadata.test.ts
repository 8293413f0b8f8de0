import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ExifTool } from "exiftool-vendored";
import { afterAll, describe, expect, test } from "vitest";
import type { RawTags } from "../../files/exiftool.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { madeImage } from "../fixtures/made-images.ts";
import { photoPath } from "../fixtures/real-photos.ts";
import { captionTiny, edgeCaptionIn } from "./run-command.ts";

const exiftool = new ExifTool();
afterAll(() => exiftool.end());

async function setTags(file: string, tags: RawTags): Promise<void> {
  await exiftool.write(file, tags, { writeArgs: ["-overwrite_original"] });
}

async function readTags(file: string, ...tags: string[]): Promise<Record<string, unknown>> {
  const {
    SourceFile: _,
    errors: __,
    warnings: ___,
    ...found
  } = await exiftool.readRaw(file, {
    readArgs: tags.map((tag) => `-${tag}`),
  });
  return found;
}

const sidecarTags = ["Description", "Rating", "SidecarForExtension", "CaptionWriter"];

/** Photos in a folder, by their names the same but for the extension, and a sidecar that Lightroom would have written. */
async function folderOf(names: readonly string[], sidecar: { name: string; tags: RawTags }): Promise<string> {
  const folder = await temporaryFolder();
  for (const name of names) {
    await writeFile(
      join(folder, name),
      name.endsWith(".cr2") ? "raw" : await madeImage(name.endsWith(".png") ? "png" : "jpeg"),
    );
  }
  await setTags(join(folder, sidecar.name), sidecar.tags);
  return folder;
}

describe("a sidecar of the other naming", () => {
  test.each([
    ["photo.xmp", "full", ["photo.jpg"], {}],
    ["photo.jpg.xmp", "stem", ["photo.jpg", "photo.png"], {}],
    ["photo.xmp", "full", ["photo.jpg", "photo.cr2"], { "XMP-photoshop:SidecarForExtension": "JPG" }],
  ])(
    "%s gets the caption, and keeps what it holds, with --xmp-name %s beside %j",
    async (name, naming, photos, tags) => {
      const folder = await folderOf(photos, { name, tags: { "XMP-xmp:Rating": 5, ...tags } });
      const { code, stderr } = await captionTiny(folder, "photo.jpg", "--xmp", "--xmp-name", naming);
      expect(code, stderr).toBe(0);
      expect((await readdir(folder)).filter((file) => file.endsWith(".xmp"))).toEqual([name]);
      const found = await readTags(join(folder, name), ...sidecarTags);
      expect(found).toMatchObject({ Rating: 5, Description: expect.any(String), CaptionWriter: expect.any(String) });
    },
  );

  test("is not hidden where a person wrote a caption into it, until --overwrite", async () => {
    const folder = await folderOf(["photo.jpg"], {
      name: "photo.xmp",
      tags: { "XMP-dc:Description": "Oma am Strand" },
    });
    expect((await captionTiny(folder, ".", "--xmp")).stderr).toContain("1 kept what a person wrote");
    expect((await readdir(folder)).filter((file) => file.endsWith(".xmp"))).toEqual(["photo.xmp"]);
    expect(await readTags(join(folder, "photo.xmp"), ...sidecarTags)).toEqual({ Description: "Oma am Strand" });
    await captionTiny(folder, ".", "--xmp", "--overwrite");
    expect((await readTags(join(folder, "photo.xmp"), "Description")).Description).not.toBe("Oma am Strand");
  });

  test("that two photos share stays as it is, and each gets its own with all that it holds", async () => {
    const folder = await folderOf(["photo.jpg", "photo.png"], { name: "photo.xmp", tags: { "XMP-xmp:Rating": 5 } });
    const before = await readFile(join(folder, "photo.xmp"));
    expect((await captionTiny(folder, ".", "--xmp")).code).toBe(0);
    expect(await readFile(join(folder, "photo.xmp"))).toEqual(before);
    for (const name of ["photo.jpg.xmp", "photo.png.xmp"]) {
      expect(await readTags(join(folder, name), ...sidecarTags)).toMatchObject({
        Rating: 5,
        Description: expect.any(String),
      });
    }
  });

  test("of a raw photo beside a JPEG stays the raw photo's", async () => {
    const tags = { "XMP-xmp:Rating": 5, "XMP-photoshop:SidecarForExtension": "CR2" };
    const folder = await folderOf(["photo.jpg", "photo.cr2"], { name: "photo.xmp", tags });
    await captionTiny(folder, "photo.jpg", "--xmp");
    expect(await readTags(join(folder, "photo.xmp"), ...sidecarTags)).toEqual({
      Rating: 5,
      SidecarForExtension: "CR2",
    });
    expect(await readTags(join(folder, "photo.jpg.xmp"), ...sidecarTags)).not.toHaveProperty("Rating");
  });
});

describe("the digest of the IPTC block", () => {
  test("matches after a caption is written, whether it did before or not, and is not added", async () => {
    const folder = await temporaryFolder();
    for (const name of ["right.jpg", "stale.jpg", "none.jpg"]) await copyFile(photoPath("coffee"), join(folder, name));
    await setTags(join(folder, "right.jpg"), { "IPTC:Keywords": "x", "Photoshop:IPTCDigest": "new" });
    await setTags(join(folder, "stale.jpg"), { "IPTC:Keywords": "x", "Photoshop:IPTCDigest": "new" });
    await setTags(join(folder, "stale.jpg"), { "IPTC:Keywords": "another" });
    await setTags(join(folder, "none.jpg"), { "IPTC:Keywords": "x" });
    const digests = ["Warning", "IPTCDigest", "CurrentIPTCDigest"];
    expect(await readTags(join(folder, "stale.jpg"), ...digests)).toHaveProperty("Warning");
    expect((await captionTiny(folder, ".", "--embed")).code).toBe(0);
    for (const name of ["right.jpg", "stale.jpg"]) {
      const { Warning, IPTCDigest, CurrentIPTCDigest } = await readTags(join(folder, name), ...digests);
      expect({ Warning, IPTCDigest }, name).toEqual({ Warning: undefined, IPTCDigest: CurrentIPTCDigest });
      expect(IPTCDigest, name).toBeTypeOf("string");
    }
    expect(await readTags(join(folder, "none.jpg"), ...digests)).not.toHaveProperty("IPTCDigest");
  });

  test("matches after a caption is removed again, with and without other fields", async () => {
    const folder = await temporaryFolder();
    for (const name of ["alone.jpg", "more.jpg"]) await copyFile(photoPath("coffee"), join(folder, name));
    await captionTiny(folder, ".", "--embed");
    await setTags(join(folder, "alone.jpg"), { "Photoshop:IPTCDigest": "new" });
    await setTags(join(folder, "more.jpg"), { "IPTC:Keywords": "x", "Photoshop:IPTCDigest": "new" });
    await writeFile(join(folder, "a.csv"), "path,caption\nalone.jpg,\nmore.jpg,\n");
    const { code, stderr } = await edgeCaptionIn(folder, "apply", "a.csv", "--embed");
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/\n2 cleared\n$/) });
    for (const name of ["alone.jpg", "more.jpg"]) {
      const tags = ["Warning", "Caption-Abstract", "Keywords", "IPTCDigest", "CurrentIPTCDigest"];
      const { CurrentIPTCDigest, ...found } = await readTags(join(folder, name), ...tags);
      const kept = name === "more.jpg" ? { Keywords: "x" } : {};
      expect(found, name).toEqual({ IPTCDigest: expect.any(String), ...kept });
      expect(found.IPTCDigest, name).toBe(CurrentIPTCDigest);
    }
  });
});
