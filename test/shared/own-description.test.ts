import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { Metadata, type RawTags } from "../../files/exiftool.ts";
import { hasOwnDescription } from "../../shared/own-description.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { madeImage } from "../fixtures/made-images.ts";

const metadata = new Metadata();
afterAll(() => metadata.close());

async function withTags(format: "jpeg" | "png" | "webp" | "tiff" | "avif", tags: RawTags): Promise<Uint8Array> {
  const extension = { jpeg: ".jpg", png: ".png", webp: ".webp", tiff: ".tif", avif: ".avif" }[format];
  const file = join(await temporaryFolder(), `photo${extension}`);
  await writeFile(file, await madeImage(format));
  await metadata.writeCopy({ file, copy: `copy${extension}`, extension }, tags);
  return readFile(file.replace("photo.", "copy."));
}

describe.each(["jpeg", "png", "webp", "tiff", "avif"] as const)("in %s", (format) => {
  test.each(["XMP-dc:Description", "IFD0:ImageDescription"])("finds %s", async (field) => {
    expect(hasOwnDescription(await withTags(format, { [field]: "Oma" }))).toBe(true);
    expect(hasOwnDescription(await withTags(format, { [field]: "Oma & Opa am Strand, 1958" }))).toBe(true);
    expect(hasOwnDescription(await withTags(format, { [field]: "OLYMPUS DIGITAL CAMERA" }))).toBe(false);
  });

  test("finds none where there are other fields, or nothing", async () => {
    const others = { "XMP-dc:Title": "Oma", "XMP-xmp:Rating": 5, "IFD0:Make": "KODAK", "IFD0:Artist": "Ada" };
    expect(hasOwnDescription(await withTags(format, others))).toBe(false);
    expect(hasOwnDescription(await madeImage(format))).toBe(false);
  });
});

test("finds IPTC's caption after other datasets", async () => {
  const tags = { "IPTC:City": "Kiel", "IPTC:Keywords": ["Strand", "Oma"] };
  expect(hasOwnDescription(await withTags("jpeg", tags))).toBe(false);
  expect(hasOwnDescription(await withTags("jpeg", { ...tags, "IPTC:Caption-Abstract": "Oma am Strand" }))).toBe(true);
});

test("a file that is cut short has what is left of it", async () => {
  const described = await withTags("jpeg", {
    "IFD0:ImageDescription": "Oma am Strand",
    "IPTC:Caption-Abstract": "Oma",
  });
  for (let length = 0; length < 600; length++) hasOwnDescription(described.slice(0, length));
  expect(hasOwnDescription(described.slice(0, 20))).toBe(false);
});
