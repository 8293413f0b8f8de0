import { describe, expect, test } from "vitest";
import { photoIdsOf } from "../../shared/photo-id.ts";
import { pngChunk } from "../fixtures/made-images.ts";
import { exifBlock, orientation } from "../fixtures/metadata/exif-block.ts";
import {
  exifFlag,
  exifPart,
  type FormatWithContentId,
  formatsWithContentId,
  joinFile,
  jpegSegment,
  nameOf,
  splitFile,
  webpChunk,
  webpHeader,
  withExif,
  withParts,
  xmpFlag,
} from "../fixtures/metadata/file-parts.ts";
import { encoded, noisePicture, noiseSize, seenByService } from "../fixtures/metadata/noise-pictures.ts";

type File = Uint8Array<ArrayBuffer>;

const turned = exifBlock([orientation(6)]);
const [jpeg, png, webp] = [
  await encoded(noisePicture(3).jpeg()),
  await encoded(noisePicture(3).png()),
  await encoded(noisePicture(3).webp()),
];
const lossless = await encoded(noisePicture(3).webp({ lossless: true }));
const transparent = await encoded(noisePicture(4).webp());
const plain = { jpeg, png, webp };
const turnedPng = withExif("png", png, turned);
const turnedWebp = withExif("webp", webp, turned);
const webpParts = splitFile("webp", turnedWebp); // RIFF, VP8X, VP8, EXIF
const withFlags = (flags: number) => joinFile("webp", webpParts.with(1, webpHeader({ ...noiseSize, flags })));

const contentIdOf = async (bytes: File) => (await photoIdsOf(bytes)).contentId;

const missing = Buffer.alloc(0);
const odd: readonly (readonly [name: string, bytes: File])[] = [
  ["a WebP with its EXIF flag on and no EXIF", joinFile("webp", webpParts.slice(0, 3))],
  ["a WebP with a flag that means nothing", withFlags(exifFlag | 0x01)],
  ["a WebP with an XMP flag and no XMP", withFlags(exifFlag | xmpFlag)],
  [
    "a WebP with EXIF before its pixels",
    joinFile(
      "webp",
      [0, 1, 3, 2].map((index) => webpParts[index] ?? missing),
    ),
  ],
  ["a WebP with two extended headers", withParts("webp", turnedWebp, 2, webpParts[1] ?? missing)],
  ["a WebP with EXIF twice", withParts("webp", turnedWebp, 4, webpParts[3] ?? missing)],
  ["a PNG with a wrong checksum of EXIF", withParts("png", png, 2, wrongChecksum(exifPart("png", turned)))],
  ["a PNG with EXIF twice", withParts("png", turnedPng, 2, exifPart("png", turned))],
  ["a PNG with a text between its pixels", textBetweenPixels()],
  ["a PNG that does not begin with its header", withParts("png", png, 1, pngChunk("tEXt", Buffer.from("a\0b")))],
  ["a PNG with more EXIF than decoders take", withExif("png", png, Buffer.concat([turned, Buffer.alloc(2 ** 20)]))],
  ["a JPEG with two orientations", withExif("jpeg", jpeg, exifBlock([orientation(1), orientation(6)]))],
  ["a JPEG with an EXIF directory cut short", withExif("jpeg", jpeg, turned.subarray(0, 20))],
  ["a JPEG with EXIF that is no TIFF", withExif("jpeg", jpeg, Buffer.from("nothing of the kind"))],
];

function wrongChecksum(chunk: Uint8Array): Uint8Array {
  return chunk.with(-1, (chunk.at(-1) ?? 0) ^ 1);
}

function textBetweenPixels(): File {
  const parts = splitFile("png", png);
  const at = parts.findIndex((part) => nameOf("png", part) === "IDAT");
  const pixels = parts[at]?.subarray(8, -4) ?? missing;
  const halves = [pixels.subarray(0, 9), pixels.subarray(9)].map((half) => pngChunk("IDAT", half));
  return joinFile(
    "png",
    parts.toSpliced(
      at,
      1,
      ...halves.map(Buffer.from).toSpliced(1, 0, Buffer.from(pngChunk("tEXt", Buffer.from("a\0b")))),
    ),
  );
}

describe("metadata about which decoders may disagree", () => {
  test.each(odd)("means that a file has no content id: %s", async (_, bytes) => {
    expect(await contentIdOf(bytes)).toBeUndefined();
  });
});

const camera = { tag: 0x0110, type: 2, count: 4, value: 0x00343158 };
const xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/" tiff:Orientation="6"/>';

/** EXIF blocks of cameras and programs, none of which rotates the photo. */
const blocks: readonly (readonly [name: string, block: Buffer])[] = [
  ["EXIF without an orientation", exifBlock([camera])],
  ["EXIF of the other byte order", exifBlock([camera, orientation(1)], { order: "MM" })],
  ["an orientation of 0, as some cameras write it", exifBlock([orientation(0)])],
  ["an orientation that there is not", exifBlock([orientation(9)])],
  ["a thumbnail that is turned", exifBlock([orientation(1)], { thumbnail: [orientation(6)] })],
  ["entries that are not sorted", exifBlock([{ tag: 0x8769, type: 4, count: 1, value: 1e6 }, orientation(1)])],
];

const honest: readonly (readonly [name: string, format: FormatWithContentId, bytes: File])[] = [
  ...formatsWithContentId.flatMap((format) =>
    blocks.map(([name, block]) => [`${name}, in a ${format}`, format, withExif(format, plain[format], block)] as const),
  ),
  [
    "XMP that says it is turned, in a JPEG",
    "jpeg",
    withParts("jpeg", jpeg, 1, jpegSegment(0xe1, `http://ns.adobe.com/xap/1.0/\0${xmp}`)),
  ],
  [
    "XMP that says it is turned, in a PNG",
    "png",
    withParts("png", png, 2, pngChunk("iTXt", Buffer.from(`XML:com.adobe.xmp\0\0\0\0\0${xmp}`))),
  ],
  [
    "EXIF after the pixels that does not turn them, in a PNG",
    "png",
    withParts("png", png, -1, exifPart("png", exifBlock([orientation(1)]))),
  ],
  [
    "EXIF as a JPEG has it, in a WebP",
    "webp",
    withExif("webp", webp, Buffer.concat([Buffer.from("Exif\0\0"), exifBlock([camera])])),
  ],
  ["XMP before EXIF, in a WebP", "webp", xmpFirst()],
];

function xmpFirst(): File {
  const [start, , pixels, exif] = splitFile("webp", withExif("webp", webp, exifBlock([camera])));
  const parts = [
    start,
    webpHeader({ ...noiseSize, flags: exifFlag | xmpFlag }),
    pixels,
    webpChunk("XMP ", Buffer.from(xmp)),
    exif,
  ];
  return joinFile(
    "webp",
    parts.map((part) => part ?? missing),
  );
}

describe("metadata that cameras and programs write", () => {
  test.each(honest)("changes neither pixels nor content id: %s", async (_, format, bytes) => {
    expect(await contentIdOf(bytes)).toBe(await contentIdOf(plain[format]));
    expect(await seenByService(bytes)).toEqual(await seenByService(plain[format]));
  });

  test.each([
    ["jpeg", jpeg],
    ["png", png],
    ["webp", webp],
    ["webp", lossless],
    ["webp", transparent],
  ] as const)("counts each orientation of a %s", async (format, bytes) => {
    const ids = await Promise.all(
      [1, 2, 3, 4, 5, 6, 7, 8].map((value) => contentIdOf(withExif(format, bytes, exifBlock([orientation(value)])))),
    );
    expect(ids[0]).toBe(await contentIdOf(bytes));
    expect(new Set(ids).size).toBe(8);
    expect(ids).not.toContain(undefined);
  });
});
