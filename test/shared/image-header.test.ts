import { readdir, readFile } from "node:fs/promises";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { CaptionError } from "../../shared/errors.ts";
import { imageFormats, readImageHeader } from "../../shared/image-header.ts";
import {
  animatedGif,
  cmykJpeg,
  greyscaleJpeg,
  heicHeader,
  hugePng,
  lyingPng,
  madeImage,
  orientedJpeg,
  progressiveJpeg,
  rgbaPng,
  sixteenBitPng,
  svgFile,
  taggedImage,
  textFile,
  truncatedJpeg,
} from "../fixtures/made-images.ts";

const photos = new URL("../fixtures/photos/", import.meta.url);
const sides = [1, 2, 17, 255, 256, 300];

/** Reads the same bytes with sharp, as an `ImageHeader`. */
async function readWithSharp(bytes: Uint8Array) {
  const { format, width, height, orientation = 1 } = await sharp(bytes, { limitInputPixels: false }).metadata();
  return { format: format === "heif" ? "avif" : format, width, height, orientation };
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function refusalOf(bytes: Uint8Array): CaptionError {
  try {
    readImageHeader(bytes);
  } catch (error) {
    if (error instanceof CaptionError) return error;
    throw error;
  }
  throw new Error("expected a refusal, received a header");
}

describe("agrees with sharp on", () => {
  test.each(imageFormats)("%s of many sizes", async (format) => {
    for (const [index, width] of sides.entries()) {
      const size = { width, height: sides[sides.length - 1 - index] ?? 1 };
      const bytes = await madeImage(format, size);
      const header = readImageHeader(bytes);
      expect(header).toEqual({ format, ...size, orientation: 1 });
      expect(header).toEqual(await readWithSharp(bytes));
    }
  });

  test.each([
    ["a CMYK JPEG", cmykJpeg],
    ["a greyscale JPEG", greyscaleJpeg],
    ["a progressive JPEG", progressiveJpeg],
    ["a JPEG whose pixels are cut short", truncatedJpeg],
    ["a PNG of 16 bits", sixteenBitPng],
    ["a PNG with alpha", rgbaPng],
    ["a PNG of 400 megapixels", hugePng],
    ["a PNG whose header lies about its size", lyingPng],
    ["an animated GIF", animatedGif],
  ])("%s", async (_, make) => {
    const bytes = await make();
    expect(readImageHeader(bytes)).toEqual(await readWithSharp(bytes));
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])("a JPEG with EXIF orientation %i", async (orientation) => {
    const bytes = await orientedJpeg(orientation);
    const header = readImageHeader(bytes);
    expect(header.orientation).toBe(orientation);
    expect(header).toEqual(await readWithSharp(bytes));
  });

  test.each(["jpeg", "png", "webp", "tiff"] as const)("the EXIF orientation of %s", async (format) => {
    const bytes = await taggedImage(format, 6);
    expect(readImageHeader(bytes)).toEqual({ format, width: 60, height: 40, orientation: 6 });
    expect(readImageHeader(bytes)).toEqual(await readWithSharp(bytes));
  });

  test("lossless WebP, WebP with alpha and BigTIFF", async () => {
    const picture = sharp(await rgbaPng());
    for (const image of [
      picture.clone().webp({ lossless: true }),
      picture.clone().webp(),
      picture.tiff({ bigtiff: true }),
    ]) {
      const bytes = await image.toBuffer();
      expect(readImageHeader(bytes)).toEqual(await readWithSharp(bytes));
    }
  });

  test("the photos that ship", async () => {
    const names = (await readdir(photos)).filter((name) => name.endsWith(".jpg"));
    expect(names).toHaveLength(4);
    for (const name of names) {
      const bytes = await readFile(new URL(name, photos));
      expect(readImageHeader(bytes)).toEqual(await readWithSharp(bytes));
    }
  });
});

describe("reads", () => {
  const frame = "\xff\xc0\0\x0b\x08\0\x28\0\x3c\x01\x01\x11\0";
  const scan = "\xff\xda";
  const tiff = (order: "big" | "little", orientation: string) =>
    order === "big"
      ? `MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0${orientation}\0\0\0\0\0\0`
      : `II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0${orientation}\0\0\0\0\0\0\0`;
  const exif = (block: string) => `\xff\xe1\0${String.fromCharCode(8 + block.length)}Exif\0\0${block}`;

  test.each([
    ["EXIF in big-endian order", `${exif(tiff("big", "\x08"))}${frame}`, 8],
    ["EXIF in little-endian order", `${exif(tiff("little", "\x05"))}${frame}`, 5],
    ["EXIF behind the frame header", `${frame}${exif(tiff("big", "\x03"))}`, 3],
    ["the first of two EXIF blocks", `${exif(tiff("big", "\x03"))}${exif(tiff("big", "\x06"))}${frame}`, 3],
    ["EXIF behind XMP", `\xff\xe1\0\x0ahttp://n${exif(tiff("big", "\x06"))}${frame}`, 6],
    ["an orientation that does not exist as none", `${exif(tiff("big", "\x09"))}${frame}`, 1],
    ["a broken EXIF block as none", `${exif("MM\0*\0\0\xff\xff")}${frame}`, 1],
    ["fill bytes and bytes that belong to no segment", `\xff\xff\xff\xfe\0\x02junk\xff\xff${frame}`, 1],
    ["restart markers in the header", `\xff\xd0\xff\x01${frame}`, 1],
  ])("JPEG: %s", (_, segments, orientation) => {
    const bytes = latin1(`\xff\xd8${segments}${scan}`);
    expect(readImageHeader(bytes)).toEqual({ format: "jpeg", width: 60, height: 40, orientation });
  });

  test("an AVIF that a decoder turns, as stored and without orientation", async () => {
    const bytes = await taggedImage("avif", 6);
    expect(readImageHeader(bytes)).toEqual({ format: "avif", width: 60, height: 40, orientation: 1 });
    expect(await readWithSharp(bytes)).toMatchObject({ width: 40, height: 60, orientation: 1 });
  });

  test("an AVIF by its compatible brand, as phones write it", async () => {
    const bytes = Buffer.from(await madeImage("avif"));
    bytes.write("mif1", 8, "latin1");
    bytes.write("avif", 16, "latin1");
    expect(readImageHeader(bytes)).toMatchObject({ format: "avif", width: 60, height: 40 });
  });

  test("bytes that lie inside a larger buffer", async () => {
    const image = await madeImage("tiff");
    const larger = new Uint8Array(image.length + 20);
    larger.set(image, 7);
    expect(readImageHeader(larger.subarray(7, 7 + image.length))).toMatchObject({
      format: "tiff",
      width: 60,
      height: 40,
    });
  });
});

describe("refuses as unsupported_media_type, naming the formats that work,", () => {
  test.each([
    ["an empty file", new Uint8Array(), "an empty file"],
    ["a text file", textFile(), "a file of another type"],
    ["a HEIC photo", heicHeader(), "HEIC"],
    ["a HEIF of brand mif1", latin1("\0\0\0\x18ftypmif1\0\0\0\0mif1hevc"), "HEIC or HEIF"],
    ["a video", latin1("\0\0\0\x18ftypisom\0\0\0\0isommp42"), "a video"],
    ["an SVG with a declaration", svgFile(), "an SVG drawing"],
    [
      "an SVG with a byte order mark and a namespace prefix",
      latin1("\xef\xbb\xbf <svg:svg width='1'/>"),
      "an SVG drawing",
    ],
    ["a web page with an SVG in it", latin1("<!doctype html><svg></svg>"), "a file of another type"],
    ["a PDF", latin1("%PDF-1.7\n"), "a PDF document"],
    ["a BMP", latin1("BM\x46\0\0\0\0\0\0\0\x36\0\0\0"), "a BMP image"],
    ["a JPEG XL codestream", latin1("\xff\x0a\xfa\x1f"), "a JPEG XL image"],
    ["a JPEG XL container", latin1("\0\0\0\x0cJXL \r\n\x87\n"), "a JPEG XL image"],
    ["a JPEG 2000", latin1("\0\0\0\x0cjP  \r\n\x87\n"), "a JPEG 2000 image"],
    ["an icon", latin1("\0\0\x01\0\x01\0"), "an icon"],
    ["a Photoshop document", latin1("8BPS\0\x01"), "a Photoshop document"],
    ["a RIFF file that is no WebP", latin1("RIFF\x24\0\0\0WAVEfmt "), "a file of another type"],
  ])("%s", (_, bytes, received) => {
    const { code, message } = refusalOf(bytes);
    expect(code).toBe("unsupported_media_type");
    expect(message).toContain(`expected a JPEG, PNG, WebP, GIF, AVIF or TIFF image, received `);
    expect(message).toContain(received);
  });
});

describe("refuses as invalid_image", () => {
  const pngStart = "\x89PNG\r\n\x1a\n";
  const ftyp = "\0\0\0\x14ftypavif\0\0\0\0avif";

  test.each([
    ["a JPEG of two bytes", "\xff\xd8", "cut short"],
    ["a JPEG that ends in its segments", "\xff\xd8\xff\xe0\0\x10JFIF", "cut short"],
    ["a JPEG without a frame", "\xff\xd8\xff\xda\0\x08", "expected a frame header"],
    ["a JPEG without a scan", "\xff\xd8\xff\xd9", "expected a frame header and a scan"],
    ["a JPEG with a segment shorter than its length", "\xff\xd8\xff\xe0\0\x01", "segments of 2 bytes"],
    ["a JPEG of height 0", "\xff\xd8\xff\xc0\0\x0b\x08\0\0\0\x3c\x01\x01\x11\0\xff\xda", "received 60 × 0"],
    ["a PNG that starts with another chunk", `${pngStart}\0\0\0\x04CgBI\0\0\0\0`, "expected an IHDR chunk"],
    ["a PNG without pixels", `${pngStart}\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0****`, "cut short"],
    ["a WebP with an unknown first chunk", "RIFF\x10\0\0\0WEBPVP9 \0\0\0\0", "VP8, VP8L or VP8X"],
    ["a WebP without a key frame", `RIFF\x20\0\0\0WEBPVP8 \x0a\0\0\0${"\0".repeat(10)}`, "a VP8 key frame"],
    ["a GIF without a logical screen", "GIF89a\x01", "cut short"],
    ["a GIF of width 0", "GIF89a\0\0\x28\0\0\0\0", "received 0 × 40"],
    ["an AVIF without a meta box", `${ftyp}\0\0\0\x08mdat`, 'expected a box "meta"'],
    ["an AVIF box that leaves its parent", `${ftyp}\0\0\0\xffmeta`, "expected boxes that fit"],
    ["an AVIF box that is shorter than its head", `${ftyp}\0\0\0\x04meta`, "expected boxes that fit"],
    ["an AVIF box of 2^64 bytes", `${ftyp}\0\0\0\x01meta${"\xff".repeat(8)}`, "expected boxes that fit"],
    ["a TIFF whose directory lies behind its end", "II*\0\0\xff\0\0", "cut short"],
    ["a TIFF whose directory holds no size", "II*\0\x08\0\0\0\0\0", "expected width and height"],
  ])("%s", (_, text, part) => {
    const { code, message } = refusalOf(latin1(text));
    expect({ code, message }).toEqual({ code: "invalid_image", message: expect.stringContaining(part) });
  });
});
