import { CaptionError } from "./errors.ts";
import { isAvif, readAvif } from "./image-formats/avif.ts";
import { isGif, readGif } from "./image-formats/gif.ts";
import { HeaderBytes, type ImageSize } from "./image-formats/header-bytes.ts";
import { isJpeg, readJpeg } from "./image-formats/jpeg.ts";
import { isPng, readPng } from "./image-formats/png.ts";
import { describeRefused, isHeic } from "./image-formats/refused.ts";
import { isTiff, readTiff } from "./image-formats/tiff.ts";
import { expectDecodedTiff } from "./image-formats/tiff-forms.ts";
import { isWebp, readWebp } from "./image-formats/webp.ts";

export const imageFormats = ["jpeg", "png", "webp", "gif", "avif", "tiff"] as const;

/** Formats including HEIC, which is accepted only on request: decoding it takes a second per photo. */
export const allImageFormats = [...imageFormats, "heic"] as const;

export type ImageFormat = (typeof allImageFormats)[number];

/** An image's format, its size in pixels as stored, and its EXIF orientation (1 to 8, 1 if there is none). */
export interface ImageHeader extends ImageSize {
  format: ImageFormat;
}

/** Limits of a photo's pixels by its header, at the edge and in the service. */
export interface PixelLimits {
  maxPixels: number;
  /** Limit for AVIF and HEIC, whose decoding takes the most time and memory; defaults to `maxPixels`. */
  maxAvifPixels?: number;
}

interface FormatReader {
  name: string;
  /** Whether a file that starts with these bytes, as Latin-1 text, is of this format. */
  matches: (magic: string) => boolean;
  read: (header: HeaderBytes) => ImageSize;
}

const readers: Record<ImageFormat, FormatReader> = {
  jpeg: { name: "JPEG", matches: isJpeg, read: readJpeg },
  png: { name: "PNG", matches: isPng, read: readPng },
  webp: { name: "WebP", matches: isWebp, read: readWebp },
  gif: { name: "GIF", matches: isGif, read: readGif },
  avif: { name: "AVIF", matches: isAvif, read: readAvif },
  tiff: { name: "TIFF", matches: isTiff, read: readDecodedTiff },
  heic: { name: "HEIC", matches: isHeic, read: readAvif }, // the same boxes
};

/** Enough for the brands of an ISO media file, and for the root element of an SVG after its declarations. */
const magicBytes = 1024;

/** The largest side that a header can state, which is TIFF's. */
const maxSide = 2 ** 32 - 1;

/**
 * Reads an image's format from its first bytes and its size from its header; file names and media types play no part. Refuses
 * forms of a format that are not decoded. Pixels are not read, so a damaged image may still have a header. For any bytes this
 * returns or throws a `CaptionError`: `unsupported_media_type` or `invalid_image`.
 */
export function readImageHeader(bytes: Uint8Array, { allowHeic = false } = {}): ImageHeader {
  const format = readImageFormat(bytes, { allowHeic });
  const { name, read } = readers[format];
  const header = new HeaderBytes(bytes, name);
  const { width, height, orientation } = read(header);
  if (!isSide(width) || !isSide(height)) {
    throw header.unexpected({ expected: "sides of at least one pixel", received: `${width} × ${height}` });
  }
  return { format, width, height, orientation };
}

/** Reads an image's format from its first bytes alone. Throws `unsupported_media_type`. */
export function readImageFormat(bytes: Uint8Array, { allowHeic = false } = {}): ImageFormat {
  const magic = String.fromCharCode(...bytes.subarray(0, magicBytes));
  const formats = allowHeic ? allImageFormats : imageFormats;
  const format = formats.find((candidate) => readers[candidate].matches(magic));
  if (format !== undefined) return format;
  throw new CaptionError("unsupported_media_type", `expected ${listOf(formats)}, received ${describeRefused(magic)}`);
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

function readDecodedTiff(header: HeaderBytes): ImageSize {
  const size = readTiff(header);
  expectDecodedTiff(header);
  return size;
}

function isSide(pixels: number): boolean {
  return pixels >= 1 && pixels <= maxSide;
}

/** Lists formats like `a JPEG, PNG or TIFF image`. */
function listOf(formats: readonly ImageFormat[]): string {
  const names = formats.map((format) => readers[format].name);
  return `a ${names.slice(0, -1).join(", ")} or ${names.at(-1)} image`;
}
