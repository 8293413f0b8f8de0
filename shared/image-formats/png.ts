import { readExifOrientation } from "./exif.ts";
import type { HeaderBytes, ImageSize } from "./header-bytes.ts";

export const pngSignature = "\x89PNG\r\n\x1a\n";

/** By its signature. */
export function isPng(magic: string): boolean {
  return magic.startsWith(pngSignature);
}

/** Walks the chunks up to the pixels; libpng takes an EXIF chunk only from before them. Checksums are the decoder's matter. */
export function readPng(header: HeaderBytes): ImageSize {
  let offset = pngSignature.length;
  const first = header.text(offset + 4, 4);
  if (first !== "IHDR" || header.uint(offset, 4) !== 13) {
    throw header.unexpected({ expected: "an IHDR chunk of 13 bytes first", received: JSON.stringify(first) });
  }
  const width = header.uint(offset + 8, 4);
  const height = header.uint(offset + 12, 4);
  let orientation = 1;
  for (let type = first; type !== "IDAT"; type = header.text(offset + 4, 4)) {
    const length = header.uint(offset, 4);
    if (type === "eXIf") orientation = readExifOrientation(header.slice(offset + 8, offset + 8 + length));
    offset += 12 + length;
  }
  return { width, height, orientation };
}

const chunksOverGamma = ["iCCP", "sRGB", "cICP"];

/**
 * The exponent that a PNG's gAMA chunk asks for, so that its values mean what they do in sRGB: 1 where there is none, or a
 * better word on colour. For a PNG whose header can be read.
 */
export function readPngExponent(header: HeaderBytes): number {
  let gamma = usualGamma;
  for (let at = pngSignature.length, type = ""; type !== "IDAT"; at += 12 + header.uint(at, 4)) {
    type = header.text(at + 4, 4);
    if (chunksOverGamma.includes(type)) return 1;
    if (type === "gAMA") gamma = header.uint(at + 8, 4);
  }
  const exponent = usualGamma / gamma;
  return gamma === 0 || Math.abs(exponent - 1) < leastDifference ? 1 : exponent;
}

/** Of sRGB, in the chunk's unit. */
const usualGamma = 45455;
/** Programs round it. */
const leastDifference = 0.05;
