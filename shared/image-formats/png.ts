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
