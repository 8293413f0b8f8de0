import sharp from "sharp";
import { HeaderBytes } from "../../shared/image-formats/header-bytes.ts";
import { endOfImage, isFrameHeader, segmentsOf, startOfScan } from "../../shared/image-formats/jpeg.ts";
import { joinBytes } from "../../shared/join-bytes.ts";

const endMarker = Uint8Array.of(0xff, endOfImage);
/** Bits to append to a scan: one that is cut short then decodes differently than with a decoder's zeros. */
const filler = new Uint8Array(4096).fill(0xaa);
const progressiveFrames = [0xc2, 0xca];
const coefficients = 64;
/** The most rows that are coded together: blocks of eight, four times as coarse in chroma. */
const mostBlockRows = 32;

/** Appends an end marker if the file does not end in one. */
export function withEndMarker(bytes: Uint8Array): Uint8Array {
  const last = bytes.subarray(-2);
  return last[0] === 0xff && last[1] === endOfImage ? bytes : joinBytes([withoutHalfMarker(bytes), endMarker]);
}

interface JpegDecoding {
  width: number;
  height: number;
  maxPixels: number;
  /** Decodes the photo to the wanted form; fails at damage of this kind or worse. */
  decode: (bytes: Uint8Array, failOn: "warning") => Promise<Uint8Array>;
}

/**
 * Decodes a JPEG that lacks only its end marker: all scans must be there and complete. For others it rejects or resolves to
 * undefined.
 */
export async function decodeUnendedJpeg(
  bytes: Uint8Array,
  { decode, ...image }: JpegDecoding,
): Promise<Uint8Array | undefined> {
  if (!hasAllScansAndNoEnd(bytes)) return undefined;
  const scans = withoutHalfMarker(bytes);
  const ended = joinBytes([scans, endMarker]);
  const pixels = await decode(ended, "warning");
  // libvips does not check for warnings after the last rows, and arithmetic coding causes none
  const bottom = await bottomOf(ended, image);
  const filled = await bottomOf(joinBytes([scans, filler, endMarker]), image);
  return bottom.equals(filled) ? pixels : undefined;
}

function bottomOf(bytes: Uint8Array, { width, height, maxPixels }: Omit<JpegDecoding, "decode">): Promise<Buffer> {
  const top = Math.max(0, height - mostBlockRows);
  return sharp(bytes, { limitInputPixels: maxPixels, failOn: "error", sequentialRead: true })
    .extract({ left: 0, top, width, height: height - top })
    .raw()
    .toBuffer();
}

/** Removes the first byte of a marker at the end, which would form another with the byte after it. */
function withoutHalfMarker(bytes: Uint8Array): Uint8Array {
  return bytes.at(-1) === 0xff ? bytes.subarray(0, -1) : bytes;
}

/** Whether every component has all its coefficients to their last bit, if each scan is whole. */
function hasAllScansAndNoEnd(bytes: Uint8Array): boolean {
  const header = new HeaderBytes(bytes, "JPEG", { maxReads: Number.POSITIVE_INFINITY });
  let isProgressive = false;
  const missingBits = new Map<number, Uint8Array>();
  for (const { marker, at, end } of segmentsOf(header)) {
    if (marker === endOfImage) return false;
    const data = header.slice(at + 4, end);
    if (isFrameHeader(marker)) {
      isProgressive = progressiveFrames.includes(marker);
      for (let at = 6; at < data.length; at += 3) missingBits.set(data[at] ?? 0, new Uint8Array(coefficients).fill(1));
    }
    if (marker !== startOfScan) continue;
    const components = data[0] ?? 0;
    const [first = 0, last = 0, bits = 0] = isProgressive
      ? data.subarray(1 + 2 * components)
      : [0, coefficients - 1, 0];
    for (let place = 0; place < components; place++) {
      missingBits.get(data[1 + 2 * place] ?? -1)?.fill(bits & 15, first, last + 1);
    }
  }
  return missingBits.size > 0 && [...missingBits.values()].every((missing) => missing.every((bits) => bits === 0));
}
