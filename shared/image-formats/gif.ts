import type { HeaderBytes, ImageSize } from "./header-bytes.ts";

const little = { littleEndian: true };

/** Either version. */
export function isGif(magic: string): boolean {
  return magic.startsWith("GIF87a") || magic.startsWith("GIF89a");
}

/**
 * The logical screen, which is the canvas that decoders draw on. sharp's gives way where a frame does not fit it, so its
 * own pixel limit still has to stand behind this one.
 */
export function readGif(header: HeaderBytes): ImageSize {
  return { width: header.uint(6, 2, little), height: header.uint(8, 2, little), orientation: 1 };
}
