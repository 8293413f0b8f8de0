import type { HeaderBytes, ImageSize } from "./header-bytes.ts";

const little = { littleEndian: true };

/** Whether a file begins with either version's signature. */
export function isGif(magic: string): boolean {
  return magic.startsWith("GIF87a") || magic.startsWith("GIF89a");
}

/**
 * Reads the logical screen, which is the canvas of decoders. sharp enlarges it for a frame that does not fit, so sharp's own
 * pixel limit is needed as well.
 */
export function readGif(header: HeaderBytes): ImageSize {
  return { width: header.uint(6, 2, little), height: header.uint(8, 2, little), orientation: 1 };
}
