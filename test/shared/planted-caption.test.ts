import { describe, expect, test } from "vitest";
import { photoIdsOf } from "../../shared/photo-id.ts";
import { pngChunk } from "../fixtures/made-images.ts";
import { bigTiffBlock, exifBlock, orientation } from "../fixtures/metadata/exif-block.ts";
import {
  exifPart,
  flagsOf,
  joinFile,
  jpegSegment,
  splitFile,
  webpHeader,
  withExif,
  withParts,
} from "../fixtures/metadata/file-parts.ts";
import { encoded, noisePicture, noiseSize, seenByService } from "../fixtures/metadata/noise-pictures.ts";

type File = Uint8Array<ArrayBuffer>;

const turned = exifBlock([orientation(6)]);
const [jpeg, png, webp] = [
  await encoded(noisePicture(3).jpeg()),
  await encoded(noisePicture(3).png()),
  await encoded(noisePicture(3).webp()),
];
const transparent = await encoded(noisePicture(4).webp({ exact: true }));
const profiled = await encoded(noisePicture(3).withIccProfile("p3").webp());

/** Makes an extended WebP whose header is too long and hides the first chunk. */
function hidingFirstChunk(bytes: File): File {
  const [start, header, hidden, ...rest] = splitFile("webp", bytes);
  if (start === undefined || header === undefined || hidden === undefined) throw new Error("expected an extended WebP");
  return joinFile("webp", [start, webpHeader({ ...noiseSize, flags: flagsOf([header]) }, hidden), ...rest]);
}

const turnedPng = withExif("png", png, turned);
const turnedWebp = withExif("webp", webp, turned);
const webpParts = splitFile("webp", turnedWebp); // RIFF, VP8X, VP8, EXIF
const withFlags = (flags: number) => joinFile("webp", webpParts.with(1, webpHeader({ ...noiseSize, flags })));

/** Pairs of a photo and a crafted file in which the service sees other pixels. */
const planted: readonly (readonly [name: string, photo: File, crafted: File])[] = [
  ["a JPEG with an orientation of type SSHORT", jpeg, withExif("jpeg", jpeg, exifBlock([orientation(6, { type: 8 })]))],
  ["a JPEG with an orientation of type SLONG", jpeg, withExif("jpeg", jpeg, exifBlock([orientation(6, { type: 9 })]))],
  [
    "a JPEG with two orientations in one entry",
    jpeg,
    withExif("jpeg", jpeg, exifBlock([orientation(6, { count: 2 })])),
  ],
  ["a JPEG with BigTIFF as EXIF", withExif("jpeg", jpeg, turned), withExif("jpeg", jpeg, bigTiffBlock(6))],
  ["a WebP whose EXIF flag is off", turnedWebp, withFlags(0)],
  ["a simple WebP with EXIF after its pixels", turnedWebp, withParts("webp", webp, 2, exifPart("webp", turned))],
  ["a WebP that hides its alpha in its header", transparent, hidingFirstChunk(transparent)],
  ["a WebP that hides its colour profile in its header", profiled, hidingFirstChunk(profiled)],
  ["a PNG with EXIF after its pixels", turnedPng, withParts("png", png, -1, exifPart("png", turned))],
  [
    "a PNG with EXIF as a JPEG has it",
    turnedPng,
    withParts("png", png, 2, Buffer.from(pngChunk("eXIf", Buffer.concat([Buffer.from("Exif\0\0"), turned])))),
  ],
  [
    "a JPEG whose first EXIF segment has no zeros",
    withParts("jpeg", withExif("jpeg", jpeg, turned), 2, jpegSegment(0xe1, "Exif\x01\x01")),
    withParts("jpeg", withExif("jpeg", jpeg, turned), 1, jpegSegment(0xe1, "Exif\x01\x01")),
  ],
  [
    "a WebP whose EXIF directory is too far from its beginning",
    turnedWebp,
    withExif("webp", webp, exifBlock([orientation(6)], { directoryAt: 65_520 })),
  ],
];

describe("a file crafted for another photo's content id", () => {
  test.each(planted)("gets none: %s", async (_, photo, crafted) => {
    expect(await seenByService(crafted)).not.toEqual(await seenByService(photo));
    expect(await photoIdsOf(crafted)).not.toHaveProperty("contentId");
  });
});
