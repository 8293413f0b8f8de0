import { readExifOrientation } from "./exif.ts";
import type { HeaderBytes, ImageSize } from "./header-bytes.ts";

export const pngSignature = "\x89PNG\r\n\x1a\n";

/** Whether a file starts with a PNG's signature. */
export function isPng(magic: string): boolean {
  return magic.startsWith(pngSignature);
}

/** A chunk by the length that it states; whether the file is that long is not checked. */
export interface PngChunk {
  type: string;
  /** Offset of its length, which precedes the type. */
  start: number;
  dataAt: number;
  /** Offset of its checksum. */
  dataEnd: number;
}

/** Bytes of a chunk's length, type and checksum. */
export const chunkFramingBytes = 12;

/** Walks the chunks; throws `invalid_image` where the file ends, so callers stop at a chunk before. */
export function* chunksOf(header: HeaderBytes): Generator<PngChunk> {
  for (let start = pngSignature.length; ; start += chunkFramingBytes + header.uint(start, 4)) {
    const dataAt = start + 8;
    yield { type: header.text(start + 4, 4), start, dataAt, dataEnd: dataAt + header.peek(start, 4) };
  }
}

/** Reads the chunks up to the pixels; libpng ignores EXIF after them. Checksums are left to the decoder. */
export function readPng(header: HeaderBytes): ImageSize {
  let size = { width: 0, height: 0 };
  let orientation = 1;
  for (const { type, start, dataAt, dataEnd } of chunksOf(header)) {
    if (start === pngSignature.length) size = readSize(header, { type, start });
    if (type === "IDAT") break;
    if (type === "eXIf") orientation = readExifOrientation(header.slice(dataAt, dataEnd));
  }
  return { ...size, orientation };
}

function readSize(header: HeaderBytes, { type, start }: Pick<PngChunk, "type" | "start">) {
  if (type !== "IHDR" || header.uint(start, 4) !== 13) {
    throw header.unexpected({ expected: "an IHDR chunk of 13 bytes first", received: JSON.stringify(type) });
  }
  return { width: header.uint(start + 8, 4), height: header.uint(start + 12, 4) };
}

const chunksOverGamma = ["iCCP", "sRGB", "cICP"];

/**
 * The exponent that makes a PNG's values sRGB, by its gAMA chunk: 1 where there is none, or another chunk that outranks it.
 * For a PNG whose header can be read.
 */
export function readPngExponent(header: HeaderBytes): number {
  let gamma = usualGamma;
  for (const { type, dataAt } of chunksOf(header)) {
    if (chunksOverGamma.includes(type)) return 1;
    if (type === "gAMA") gamma = header.uint(dataAt, 4);
    if (type === "IDAT") {
      header.spend(1); // its length, which the walk counts only as it continues
      break;
    }
  }
  const exponent = usualGamma / gamma;
  return gamma === 0 || Math.abs(exponent - 1) < leastDifference ? 1 : exponent;
}

/** The gamma of sRGB, in the chunk's unit. */
const usualGamma = 45455;
/** Programs round gamma. */
const leastDifference = 0.05;
