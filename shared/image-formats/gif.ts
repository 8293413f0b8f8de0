import type { HeaderBytes, ImageSize } from "./header-bytes.ts";

const little = { littleEndian: true };

/** Whether a file starts as a GIF of either version. */
export function isGif(magic: string): boolean {
  return magic.startsWith("GIF87a") || magic.startsWith("GIF89a");
}

/**
 * The size of the logical screen, the canvas of the frames. sharp enlarges it for a frame that does not fit, so its own pixel
 * limit is still needed.
 */
export function readGif(header: HeaderBytes): ImageSize {
  return { width: header.uint(6, 2, little), height: header.uint(8, 2, little), orientation: 1 };
}
