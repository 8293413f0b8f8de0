import { CaptionError } from "./errors.ts";
import type { ImageHeader } from "./image-header.ts";

/** How many pixels a photo may have by its header, both at the edge and in the service. */
export interface PixelLimits {
  maxPixels: number;
  /** Applies to AVIF and HEIC, whose decoding takes the most time and memory; `maxPixels` where it is left out. */
  maxAvifPixels?: number;
}

/** Throws `payload_too_large` for a photo of more pixels than its format may have. */
export function expectFewPixels(
  { format, width, height }: ImageHeader,
  { maxPixels, maxAvifPixels = maxPixels }: PixelLimits,
): void {
  const most = format === "avif" || format === "heic" ? Math.min(maxPixels, maxAvifPixels) : maxPixels;
  if (width * height <= most) return;
  const kind = most === maxPixels ? "an image" : `an image in ${format.toUpperCase()}`;
  throw new CaptionError(
    "payload_too_large",
    `expected ${kind} of at most ${most} pixels, received ${width} × ${height}`,
  );
}
