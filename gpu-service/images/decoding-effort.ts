import { CaptionError } from "../../shared/errors.ts";
import { endOfImage, hasNoLength, startOfScan } from "../../shared/image-formats/jpeg.ts";
import { chunkHeaderBytes, firstChunkAt } from "../../shared/image-formats/webp.ts";
import type { ImageFormat } from "../../shared/image-header.ts";

/** Each scan goes over every pixel once more and may take 50 bytes of the file. Programs write about ten. */
const maxJpegScans = 50;
/** A frame is a chunk, and opening an animation takes time by the square of their number: a quarter of a second for these. */
const maxWebpChunks = 5000;

/**
 * Refuses files that are small in bytes and in pixels, and yet keep a decoder busy for minutes. Throws `invalid_image`.
 */
export function expectModestEffort(bytes: Uint8Array, format: ImageFormat): void {
  if (format === "jpeg" && hasMoreScans(bytes, maxJpegScans)) throw refusal("a JPEG", `${maxJpegScans} scans`);
  if (format === "webp" && hasMoreChunks(bytes, maxWebpChunks)) throw refusal("a WebP", `${maxWebpChunks} chunks`);
}

function refusal(file: string, most: string): CaptionError {
  return new CaptionError("invalid_image", `expected ${file} of at most ${most}, received more`);
}

/** Stops at the image's end, as the decoder does: phones append previews and films. */
function hasMoreScans(bytes: Uint8Array, most: number): boolean {
  let scans = 0;
  for (let at = nextSegment(bytes, 2); at < bytes.length; ) {
    if (bytes[at + 1] === endOfImage) return false;
    if (bytes[at + 1] === startOfScan) scans += 1;
    if (scans > most) return true;
    at = nextSegment(bytes, at + 2 + ((bytes[at + 2] ?? 0) << 8) + (bytes[at + 3] ?? 0));
  }
  return false;
}

/** Where the next marker stands that is none of a scan's own. */
function nextSegment(bytes: Uint8Array, start: number): number {
  for (let at = start; at < bytes.length; at++) {
    if (bytes[at] !== 0xff) continue;
    const marker = bytes[at + 1] ?? endOfImage;
    if (marker !== 0xff && !hasNoLength(marker)) return at;
  }
  return bytes.length;
}

function hasMoreChunks(bytes: Uint8Array, most: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let chunks = 0;
  for (let at = firstChunkAt; at + chunkHeaderBytes <= bytes.length && chunks <= most; chunks++) {
    const length = view.getUint32(at + 4, true);
    at += chunkHeaderBytes + length + (length % 2); // padded to an even length
  }
  return chunks > most;
}
