import { maxExifBytes, readCanonicalOrientation, readExifOrientation } from "./exif.ts";
import type { FileContent, HeaderBytes, ImageSize } from "./header-bytes.ts";

const pngSignature = "\x89PNG\r\n\x1a\n";
const metadataChunks = new Set(["tEXt", "zTXt", "iTXt", "eXIf", "tIME"]);
const chunksOverGamma = ["iCCP", "sRGB", "cICP"];

/** Bytes of a chunk's length, type and checksum. */
const chunkFramingBytes = 12;
/** sRGB's gamma in the unit of gAMA. */
const srgbGamma = 45455;
/** Smallest difference from 1 that counts, since programs round gamma. */
const minDifference = 0.05;

/** A chunk by the length that it states; whether the file is that long is not checked. */
interface PngChunk {
  type: string;
  /** Offset of its length, which precedes the type. */
  start: number;
  dataAt: number;
  /** Offset of its checksum. */
  dataEnd: number;
}

/** Whether a file begins with PNG's signature. */
export function isPng(magic: string): boolean {
  return magic.startsWith(pngSignature);
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

/**
 * Returns the exponent that a PNG's gAMA chunk asks for, so that its values mean what they do in sRGB: 1 if there is none, or
 * a chunk that outranks it. For a PNG whose header can be read.
 */
export function readPngExponent(header: HeaderBytes): number {
  let gamma = srgbGamma;
  for (const { type, dataAt } of chunksOf(header)) {
    if (chunksOverGamma.includes(type)) return 1;
    if (type === "gAMA") gamma = header.uint(dataAt, 4);
    if (type === "IDAT") {
      header.spend(1); // its length, which the walk counts only when it continues
      break;
    }
  }
  const exponent = srgbGamma / gamma;
  return gamma === 0 || Math.abs(exponent - 1) < minDifference ? 1 : exponent;
}

/**
 * Separates a file's content from its metadata: texts, EXIF, the time of change, and what follows the last chunk. By default
 * libpng drops EXIF with a wrong checksum, and it stops reading pixels at a chunk between them.
 */
export function readPngContent(header: HeaderBytes): FileContent {
  const kept = [header.slice(0, pngSignature.length)];
  const exif: Uint8Array[] = [];
  let isAfterPixels = false;
  let before = "";
  for (const chunk of chunksOf(header)) {
    const { type, start, dataEnd } = chunk;
    const end = dataEnd + 4;
    if (end > header.length) throw header.unexpected({ expected: "whole chunks", received: `${type} cut short` });
    isAfterPixels ||= before === "IDAT" && type !== "IDAT";
    if ((type === "IHDR") !== (before === "") || (type === "IDAT" && isAfterPixels)) {
      throw header.unexpected({ expected: "IHDR first and the pixels together", received: `${type} elsewhere` });
    }
    if (type === "IEND") {
      header.spend(1); // its length, which the walk counts only when it continues
      return { kept: [...kept, header.slice(start, header.length)], exif };
    }
    if (type === "eXIf") exif.push(readExif(header, { ...chunk, isAfterPixels }));
    if (!metadataChunks.has(type)) kept.push(header.slice(start, end));
    before = type;
  }
  throw header.cutShort();
}

/** Yields chunks without end. Throws `invalid_image` if the file ends, so callers stop at a chunk before that. */
function* chunksOf(header: HeaderBytes): Generator<PngChunk> {
  for (let start = pngSignature.length; ; start += chunkFramingBytes + header.uint(start, 4)) {
    const dataAt = start + 8;
    yield { type: header.text(start + 4, 4), start, dataAt, dataEnd: dataAt + header.peek(start, 4) };
  }
}

/** Reads an EXIF chunk. ImageMagick writes it after the pixels, where libpng ignores it; orientation 1 means the same in both positions. */
function readExif(
  header: HeaderBytes,
  { dataAt, dataEnd, isAfterPixels }: PngChunk & { isAfterPixels: boolean },
): Uint8Array {
  const tiff = header.slice(dataAt, dataEnd);
  const isIntact = tiff.length <= maxExifBytes && header.uint(dataEnd, 4) === crc32(header.slice(dataAt - 4, dataEnd));
  if (!isIntact || (isAfterPixels && readCanonicalOrientation(tiff) !== 1)) {
    throw header.unexpected({ expected: "intact EXIF, before the pixels if it turns them", received: "other" });
  }
  return tiff;
}

/** Remainders of the bytes 0 to 255 by the polynomial of PNG's checksums, ISO 3309. */
const remainders = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? 0xedb88320 ^ (remainder >>> 1) : remainder >>> 1;
  return remainder;
});

/** Computes PNG's checksum of a chunk's type and data; `node:zlib` has this, browsers do not. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (remainders[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}
