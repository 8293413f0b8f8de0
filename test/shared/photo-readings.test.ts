import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { estimateDecodeMs, expectModestEffort } from "../../captioner/images/decoding-effort.ts";
import { CaptionError } from "../../shared/errors.ts";
import { HeaderBytes } from "../../shared/image-formats/header-bytes.ts";
import { readPngExponent } from "../../shared/image-formats/png.ts";
import { readImageHeader } from "../../shared/image-header.ts";
import { photoContentOf } from "../../shared/photo-id.ts";
import { pngChunk } from "../fixtures/made-images.ts";
import { exifBlock, orientation } from "../fixtures/metadata/exif-block.ts";
import { exifFlag, exifPart, joinFile, jpegSegment, webpChunk, webpHeader } from "../fixtures/metadata/file-parts.ts";
import { mutatedImage } from "../fixtures/mutated-images.ts";

const seed = 20_261_130;
const filesPerFormat = 4000;
const size = { width: 60, height: 40 };
const turned = exifBlock([orientation(6)]);

/** Files made without an encoder, so that they are the same with every version of it; their pixels mean nothing. */
const files = { jpeg: madeJpegs(), png: [madePng()], webp: madeWebps() };

/** SHA-256 of all readings of the mutated files, one a line, as they were when each reading walked the file by itself. */
const known = {
  jpeg: "99629f4d9980e9027a6b015cefb719a9edc6ef3cd8c1bcc8665ecfc20a17b006",
  png: "2f339f0b55da24ff938f604b8a6c0f4433d5b0e028ae32e679a92830336b86cb",
  webp: "b5fcc0f3bf6b65348bd71675617b63b368bbd863079bfbf9b1eda49e35b8e35f",
};

function madeJpegs(): Uint8Array[] {
  const codes = Buffer.from([0x12, 0xff, 0, 0x34, 0xff, 0xd0, 0x56, 0xff, 0xff, 0xd1, 0x78]);
  const frame = (marker: number) => jpegSegment(marker, Buffer.from([8, 0, 40, 0, 60, 1, 1, 0x11, 0]));
  const scan = (first: number, last: number) => [jpegSegment(0xda, Buffer.from([1, 1, 0, first, last, 0])), codes];
  const start = [Buffer.from([0xff, 0xd8]), jpegSegment(0xe0, "JFIF\0\x01\x02\x01\0H\0H\0\0")];
  const end = Buffer.from([0xff, 0xd9]);
  const metadata = [
    exifPart("jpeg", turned),
    jpegSegment(0xe1, "http://ns.adobe.com/xap/1.0/\0<x/>"),
    Buffer.from([0xff, 0xff]),
    jpegSegment(0xfe, "a dog"),
    Buffer.from([0xff, 0x01]),
  ];
  return [
    Buffer.concat([...start, ...metadata, frame(0xc0), ...scan(0, 63), end]),
    Buffer.concat([...start, frame(0xc2), ...scan(0, 0), jpegSegment(0xc4, "\0"), ...scan(1, 63), end]),
    Buffer.concat([...start, frame(0xc2), ...Array.from({ length: 49 }, (_, index) => scan(index, index)).flat(), end]),
  ];
}

function madePng(): Uint8Array {
  const header = new Uint8Array([0, 0, 0, 60, 0, 0, 0, 40, 8, 2, 0, 0, 0]);
  const chunks = [
    pngChunk("IHDR", header),
    pngChunk("gAMA", Buffer.from([0, 1, 0x11, 0x70])),
    pngChunk("eXIf", turned),
    pngChunk("tEXt", Buffer.from("Comment\0a dog")),
    pngChunk("IDAT", Buffer.from("pixels")),
    pngChunk("IDAT", Buffer.from("more pixels")),
    pngChunk("tIME", Buffer.from([7, 232, 2, 3, 4, 5, 6])),
    pngChunk("IEND", Buffer.alloc(0)),
  ];
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...chunks]);
}

function madeWebps(): Uint8Array[] {
  const start = Buffer.from("RIFF\0\0\0\0WEBP", "latin1");
  const lossy = webpChunk("VP8 ", Buffer.from([0, 0, 0, 0x9d, 0x01, 0x2a, 60, 0, 40, 0, 1, 2, 3]));
  const lossless = webpChunk("VP8L", Buffer.from([0x2f, 59, 0xc0, 9, 0x10, 1, 2]));
  const extended = [webpHeader({ ...size, flags: exifFlag }), lossy, webpChunk("UNKN", Buffer.from("odd"))];
  return [
    joinFile("webp", [start, lossy]),
    joinFile("webp", [start, lossless]),
    joinFile("webp", [start, ...extended, exifPart("webp", turned)]),
  ];
}

/** What each reading says of a file: its value, or the code and sentence with which it refuses the file. */
function readingsOf(bytes: Uint8Array): string {
  const content = photoContentOf(bytes);
  return JSON.stringify([
    tried(() => readImageHeader(bytes)),
    content && createHash("sha256").update(content).digest("hex"),
    tried(() => estimateDecodeMs(bytes, readImageHeader(bytes))),
    tried(() => estimateDecodeMs(bytes, { format: "jpeg", ...size, orientation: 1 })),
    tried(() => expectModestEffort(bytes, "jpeg")),
    tried(() => expectModestEffort(bytes, "webp")),
    tried(() => readPngExponent(new HeaderBytes(bytes, "PNG"))),
  ]);
}

function tried(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (error instanceof CaptionError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

test.each(["jpeg", "png", "webp"] as const)("size, content and effort of mutated %s files are read alike", (format) => {
  const readings = createHash("sha256");
  for (let index = 0; index < filesPerFormat; index++) {
    readings.update(`${readingsOf(mutatedImage(files[format], { seed, index }))}\n`);
  }
  expect(readings.digest("hex")).toBe(known[format]);
});
