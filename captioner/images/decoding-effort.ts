import { CaptionError } from "../../shared/errors.ts";
import { HeaderBytes } from "../../shared/image-formats/header-bytes.ts";
import { endOfImage, segmentsOf, startOfScan } from "../../shared/image-formats/jpeg.ts";
import { hasPlainExtras } from "../../shared/image-formats/tiff-forms.ts";
import { readTiffSamples } from "../../shared/image-formats/tiff-samples.ts";
import { chunksOf } from "../../shared/image-formats/webp.ts";
import type { ImageFormat, ImageHeader } from "../../shared/image-header.ts";

/** The most scans of a JPEG: each visits every pixel and may take only 50 bytes of the file. Programs write about ten. */
const maxJpegScans = 50;
/** The most chunks of a WebP: a frame is a chunk, and opening an animation takes quadratic time, 250 ms for these. */
const maxWebpChunks = 5000;

/**
 * CPU milliseconds per megapixel of the slowest measured photos of each format, rounded up, on the machine that
 * docs/performance.md names. A JPEG is mostly decoded at a fraction of its size, and a TIFF may have large pixels: both have
 * estimates of their own.
 */
const msPerMegapixel = { png: 15, webp: 15, gif: 15, avif: 75, heic: 100 } as const satisfies Partial<
  Record<ImageFormat, number>
>;
/** Milliseconds per megapixel of an interlaced PNG, which is held whole and decoded in seven passes. */
const interlacedPngMs = 40;
/** Milliseconds per megapixel of a TIFF: up to 16 channels of up to two bytes; extra channels need `withoutPlainExtras`. */
const tiffMs = { base: 7, perByteOfPixel: 4.5, withPlainExtras: 35 };
const baselineJpegMs = 2;
/** Milliseconds per megapixel of a progressive JPEG, whose coefficients are held whole and visited in each scan. */
const progressiveJpegMs = { base: 6, perScan: 0.3 };
const msPerMegabyte = { jpeg: 25, webp: 80, avif: 140 } as const satisfies Partial<Record<ImageFormat, number>>;
/** Bytes per pixel of a still picture at most; the rest of a file is other frames, or skipped by decoders. */
const maxBytesOfPixel = 4;

/**
 * Estimates from a photo's bytes how many CPU milliseconds its decoding takes, within a factor of three: enough to keep
 * slow photos from delaying others.
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

/** Offset of the last byte of IHDR, the first chunk. */
const pngInterlaceAt = 28;

/**
 * Refuses files of few bytes and pixels that would still keep a decoder busy for minutes. Throws `invalid_image`.
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
