import { CaptionError } from "./errors.ts";
import type { ImageHeader } from "./image-header.ts";

/** Limits of a photo's pixels by its header, at the edge and in the service. */
export interface PixelLimits {
  maxPixels: number;
  /** Limit for AVIF and HEIC, whose decoding takes the most time and memory; defaults to `maxPixels`. */
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
