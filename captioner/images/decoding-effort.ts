import { CaptionError } from "../../shared/errors.ts";
import { HeaderBytes } from "../../shared/image-formats/header-bytes.ts";
import { endOfImage, segmentsOf, startOfScan } from "../../shared/image-formats/jpeg.ts";
import { hasPlainExtras } from "../../shared/image-formats/tiff-forms.ts";
import { readTiffSamples } from "../../shared/image-formats/tiff-samples.ts";
import { chunksOf } from "../../shared/image-formats/webp.ts";
import type { ImageFormat, ImageHeader } from "../../shared/image-header.ts";

/** Each scan goes over every pixel once more and may take 50 bytes of the file. Programs write about ten. */
const maxJpegScans = 50;
/** A frame is a chunk, and opening an animation takes time by the square of their number: a quarter of a second for these. */
const maxWebpChunks = 5000;

/**
 * Milliseconds of a core per megapixel: of the dearest photos of each format that were measured, rounded up, on the
 * machine that docs/performance.md names. A JPEG is apart, since it is mostly decoded at a fraction of its size, and so is a
 * TIFF, whose pixels may be large.
 */
const msPerMegapixel = { png: 15, webp: 15, gif: 15, avif: 75, heic: 100 } as const satisfies Partial<
  Record<ImageFormat, number>
>;
/** An interlaced PNG is held whole, and each of its pixels is visited in one of seven passes. */
const interlacedPngMs = 40;
/** A TIFF has up to 16 channels of up to two bytes. Those beside colours and alpha take a decoding of their own, `withoutPlainExtras`. */
const tiffMs = { base: 7, perByteOfPixel: 4.5, withPlainExtras: 35 };
const baselineJpegMs = 2;
/** A progressive JPEG's coefficients are held whole, too, and each scan visits all of one component. */
const progressiveJpegMs = { base: 6, perScan: 0.3 };
const msPerMegabyte = { jpeg: 25, webp: 80, avif: 140 } as const satisfies Partial<Record<ImageFormat, number>>;
/** A still picture has no more; the rest is other frames, or something that decoders skip. */
const maxBytesOfPixel = 4;

/**
 * Estimates from a photo's bytes how many milliseconds of a core its decoding takes. Right within a factor of three,
 * which is enough to tell photos that others should pass from those others.
 */
export function estimateDecodeMs(bytes: Uint8Array, { format, width, height }: ImageHeader): number {
  const megapixels = (width * height) / 1e6;
  if (format === "png" && bytes[pngInterlaceAt] !== 0) return megapixels * interlacedPngMs;
  if (format === "tiff") return megapixels * tiffMsPerMegapixel(bytes);
  if (format === "webp" || format === "avif") {
    const megabytes = Math.min(bytes.length / 1e6, maxBytesOfPixel * megapixels);
    return megapixels * msPerMegapixel[format] + megabytes * msPerMegabyte[format];
  }
  if (format !== "jpeg") return megapixels * msPerMegapixel[format];
  const scans = countScans(bytes);
  const { base, perScan } = progressiveJpegMs;
  const perMegapixel = scans === 1 ? baselineJpegMs : base + perScan * scans;
  return megapixels * perMegapixel + (bytes.length / 1e6) * msPerMegabyte.jpeg;
}

function tiffMsPerMegapixel(bytes: Uint8Array): number {
  const samples = readTiffSamples(new HeaderBytes(bytes, "TIFF"));
  const bytesOfPixel = (samples.samplesPerPixel * (samples.bits[0] ?? 1)) / 8;
  return tiffMs.base + tiffMs.perByteOfPixel * bytesOfPixel + (hasPlainExtras(samples) ? tiffMs.withPlainExtras : 0);
}

/** The last byte of IHDR, the first chunk. */
const pngInterlaceAt = 28;

/**
 * Refuses files that are small in bytes and in pixels, and yet keep a decoder busy for minutes. Throws `invalid_image`.
 */
export function expectModestEffort(bytes: Uint8Array, format: ImageFormat): void {
  if (format === "jpeg" && countScans(bytes) > maxJpegScans) throw refusal("a JPEG", `${maxJpegScans} scans`);
  if (format === "webp" && hasMoreChunks(bytes, maxWebpChunks)) throw refusal("a WebP", `${maxWebpChunks} chunks`);
}

function refusal(file: string, most: string): CaptionError {
  return new CaptionError("invalid_image", `expected ${file} of at most ${most}, received more`);
}

/** Counts no further than one more than allowed, nor past the image's end, like the decoder: phones append previews and films. */
function countScans(bytes: Uint8Array): number {
  const header = new HeaderBytes(bytes, "JPEG", { maxReads: Number.POSITIVE_INFINITY });
  let scans = 0;
  for (const { marker } of segmentsOf(header)) {
    if (marker === startOfScan) scans += 1;
    if (marker === endOfImage || scans > maxJpegScans) break;
  }
  return scans;
}

function hasMoreChunks(bytes: Uint8Array, most: number): boolean {
  let chunks = 0;
  for (const _ of chunksOf(new HeaderBytes(bytes, "WebP"))) {
    chunks += 1;
    if (chunks > most) return true;
  }
  return false;
}
