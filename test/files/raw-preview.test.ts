import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { Metadata } from "../../files/exiftool.ts";
import { isRawPhoto, RawPreviews } from "../../files/raw-preview.ts";
import { readImageHeader } from "../../shared/image-header.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { madeImage, orientedJpeg } from "../fixtures/made-images.ts";
import { madeRawFormats, madeRawPhoto } from "../fixtures/made-raw-photos.ts";

const metadata = new Metadata();
afterAll(() => metadata.close());
const preview = await madeImage("jpeg", { width: 320, height: 200 });

async function read(name: string, bytes: Uint8Array) {
  const file = join(await temporaryFolder(), name);
  await writeFile(file, bytes);
  return new RawPreviews(metadata).read(file);
}

describe("the preview of a raw photo", () => {
  test.each(madeRawFormats)("is found: %s", async (format) => {
    expect(await read(`a photo.${format.toUpperCase()}`, madeRawPhoto(format, { preview }))).toEqual(preview);
  });

  test.each(["dng", "cr2", "nef", "arw", "rw2"] as const)(
    "is upright by the photo's orientation: %s",
    async (format) => {
      const found = await read(`1.${format}`, madeRawPhoto(format, { preview, orientation: 6 }));
      expect(readImageHeader(found)).toEqual({ format: "jpeg", width: 320, height: 200, orientation: 6 });
    },
  );

  test("keeps the orientation that it states itself", async () => {
    const upright = await orientedJpeg(1, { width: 320, height: 200 });
    expect(await read("1.nef", madeRawPhoto("nef", { preview: upright, orientation: 6 }))).toEqual(upright);
  });

  test.each(madeRawFormats)("that is missing or no JPEG fails by a sentence with the format: %s", async (format) => {
    for (const parts of [{}, { preview: new TextEncoder().encode("no JPEG, and longer than a thumbnail".repeat(9)) }]) {
      await expect(read(`1.${format}`, madeRawPhoto(format, parts))).rejects.toThrow(
        `a raw photo (${format.toUpperCase()}) without an embedded JPEG preview: export it as JPEG to caption it`,
      );
    }
  });

  test("is the whole file where a JPEG is only called raw", async () => {
    expect(await read("1.cr2", preview)).toEqual(preview);
  });
});

test("raw photos are known by their extension, in any case", () => {
  const names = ["1.DNG", "1.cr2", "1.CR3", "1.nef", "1.arw", "1.raf", "1.orf", "1.rw2", "1.jpg", "1.x3f", "nef"];
  expect(names.filter(isRawPhoto)).toEqual(names.slice(0, 8));
});
