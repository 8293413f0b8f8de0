import { readFile } from "node:fs/promises";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { decodeImage } from "../../../captioner/images/decode-image.ts";
import { imageFormats } from "../../../shared/image-header.ts";
import type { Preprocessing } from "../../../shared/manifest.ts";
import * as made from "../../fixtures/made-images.ts";
import { heicPath, photoPath } from "../../fixtures/real-photos.ts";

const preprocessing: Preprocessing = {
  width: 299,
  height: 299,
  fit: "fill",
  kernel: "linear",
  divisor: 127.5,
  offset: -1,
};
const decode = (bytes: Uint8Array) => decodeImage(bytes, { preprocessing, maxPixels: 100_000_000 });

type Colour = [red: number, green: number, blue: number];

/** The colour at a place of the decoded picture, given in hundredths of its width and height. */
function colourAt(pixels: Uint8Array, across: number, down: number): Colour {
  const offset = (Math.round((down / 100) * 298) * 299 + Math.round((across / 100) * 298)) * 3;
  const [red = Number.NaN, green = Number.NaN, blue = Number.NaN] = pixels.subarray(offset, offset + 3);
  return [red, green, blue];
}

function furthest(one: Uint8Array, other: Uint8Array): number {
  return one.reduce((most, value, index) => Math.max(most, Math.abs(value - (other[index] ?? Number.NaN))), 0);
}

function meanDifference(one: Uint8Array, other: Uint8Array): number {
  return one.reduce((sum, value, index) => sum + Math.abs(value - (other[index] ?? Number.NaN)), 0) / one.length;
}

describe("decodeImage", () => {
  test.each(imageFormats)("decodes %s to the same picture", async (format) => {
    const bytes = await made.madeImage(format);
    const { pixels, image } = await decode(bytes);
    expect(image).toEqual({ format, width: 60, height: 40, bytes: bytes.length });
    expect(pixels).toHaveLength(299 * 299 * 3);
    const exact = await decode(await made.madeImage("png"));
    expect(meanDifference(pixels, exact.pixels)).toBeLessThan(format === "gif" ? 8 : 4); // GIF has 256 colours
  });

  test("decodes a HEIC photo where that is allowed, to what its JPEG shows", async () => {
    const file = await readFile(heicPath);
    const settings = { preprocessing, maxPixels: 100_000_000 };
    await expect(decodeImage(file, settings)).rejects.toMatchObject({ code: "unsupported_media_type" });
    const { pixels, image } = await decodeImage(file, { ...settings, allowHeic: true });
    expect(image).toEqual({ format: "heic", width: 300, height: 200, bytes: file.length });
    const small = await sharp(await readFile(photoPath("coffee")))
      .resize(300)
      .png()
      .toBuffer();
    expect(meanDifference(pixels, (await decode(small)).pixels)).toBeLessThan(6);
    const cut = decodeImage(file.subarray(0, 9000), { ...settings, allowHeic: true });
    await expect(cut).rejects.toMatchObject({ code: "invalid_image" });
    const limited = decodeImage(file, { ...settings, maxPixels: 1000, allowHeic: true });
    await expect(limited).rejects.toMatchObject({ code: "payload_too_large" });
  });

  test("gives exactly what sharp's linear kernel makes of the squashed photo", async () => {
    const file = await readFile(photoPath("coffee"));
    const expected = await sharp(file).resize(299, 299, { fit: "fill", kernel: "linear" }).raw().toBuffer();
    expect(furthest((await decode(file)).pixels, expected)).toBe(0);
  });

  test.each([undefined, 85])(
    "brings a larger photo to the form that the encoder learnt from, JPEG quality %s",
    async (jpegQuality) => {
      const form = { width: 224, height: 224, kernel: "linear" as const };
      const through = jpegQuality === undefined ? form : { ...form, jpegQuality };
      const settings = { preprocessing: { ...preprocessing, through }, maxPixels: 1e6 };
      const file = await readFile(photoPath("coffee"));
      const squashed = sharp(file).resize(224, 224, { fit: "fill", kernel: "linear" });
      const twin = await (jpegQuality === undefined
        ? squashed.png()
        : squashed.jpeg({ quality: jpegQuality })
      ).toBuffer();
      const { pixels } = await decodeImage(file, settings);
      expect(furthest(pixels, (await decode(twin)).pixels)).toBe(0);
      expect(furthest((await decodeImage(twin, settings)).pixels, pixels)).toBe(0); // the twin itself is left as it is
      expect(furthest((await decode(file)).pixels, pixels)).toBeGreaterThan(8);
    },
  );

  test.each([1, 2, 3, 4, 5, 6, 7, 8])("turns a photo of EXIF orientation %i upright", async (orientation) => {
    const size = { width: 400, height: 300 };
    const upright = await decode(await made.orientedJpeg(1, size));
    const turned = await decode(await made.orientedJpeg(orientation, size));
    expect(meanDifference(turned.pixels, upright.pixels)).toBeLessThan(3);
    expect([turned.image.width, turned.image.height]).toEqual(orientation < 5 ? [400, 300] : [300, 400]);
  });

  test("reads CMYK, 16-bit, greyscale and progressive files as 8-bit RGB", async () => {
    const plain = await decode(await made.madeImage("png"));
    expect(meanDifference((await decode(await made.sixteenBitPng())).pixels, plain.pixels)).toBeLessThan(2);
    expect(meanDifference((await decode(await made.progressiveJpeg())).pixels, plain.pixels)).toBeLessThan(4);
    expect(meanDifference((await decode(await made.cmykJpeg())).pixels, plain.pixels)).toBeLessThan(40); // print's gamut is narrower
    const { pixels: grey } = await decode(await made.greyscaleJpeg());
    const [red, green, blue] = colourAt(grey, 70, 70);
    expect([green, blue]).toEqual([red, red]);
  });

  test("puts transparency on white", async () => {
    const { pixels } = await decode(await made.rgbaPng());
    expect(colourAt(pixels, 20, 60)).toEqual([255, 255, 255]);
    expect(colourAt(pixels, 90, 60)).not.toEqual([255, 255, 255]);
  });

  test("takes the first frame of an animation", async () => {
    const { pixels } = await decode(await made.animatedGif());
    expect(meanDifference(pixels, (await decode(await made.madeImage("png"))).pixels)).toBeLessThan(8);
  });

  test.each([
    ["a text file", made.textFile, "unsupported_media_type"],
    ["an SVG", made.svgFile, "unsupported_media_type"],
    ["a HEIC file", made.heicHeader, "unsupported_media_type"],
    ["an empty file", () => new Uint8Array(), "unsupported_media_type"],
    ["a JPEG cut short", made.truncatedJpeg, "invalid_image"],
    ["a PNG whose header lies about its size", made.lyingPng, "invalid_image"],
    ["a PNG of 400 megapixels", made.hugePng, "payload_too_large"],
  ])("refuses %s", async (_, make, code) => {
    await expect(decode(await make())).rejects.toMatchObject({ name: "CaptionError", code });
  });

  test("leaves libvips no reader but those of the formats, whatever a file would be taken for", async () => {
    const { width } = await sharp(await made.madeImage("jpeg")).metadata();
    expect(width).toBe(60);
    await expect(sharp(made.svgFile()).metadata()).rejects.toThrow("unsupported image format");
    await expect(sharp(photoPath("coffee")).metadata()).rejects.toThrow("unsupported image format"); // from a path
  });

  test("refuses a photo above the limit of pixels before it decodes any", async () => {
    const bytes = await made.madeImage("jpeg");
    await expect(decodeImage(bytes, { preprocessing, maxPixels: 2399 })).rejects.toThrow(
      "expected an image of at most 2399 pixels, received 60 × 40",
    );
  });
});
