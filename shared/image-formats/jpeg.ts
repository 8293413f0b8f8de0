import { exifPrefix, readExifOrientation } from "./exif.ts";
import type { HeaderBytes, ImageSize } from "./header-bytes.ts";

// Marker codes of ITU T.81, table B.1.
export const startOfImage = 0xd8;
export const endOfImage = 0xd9;
export const startOfScan = 0xda;
export const app1 = 0xe1;
/** Any number of these may precede a marker's code. */
export const fillByte = 0xff;
const jpegLsFrame = 0xf7;
/** Hierarchical frames, and lossless ones in arithmetic coding. */
const otherFrames = [0xc5, 0xc6, 0xc7, 0xcb, 0xcd, 0xce, 0xcf];
const decodedFrames = "of the baseline, progressive or lossless process";

/** Whether a file starts with a JPEG's first marker, start of image. */
export function isJpeg(magic: string): boolean {
  return magic.startsWith("\xff\xd8");
}

/** A marker with its data, or a fill byte, whose `marker` is `fillByte`. */
export interface JpegSegment {
  marker: number;
  /** Offset of the `ff` that opens it. */
  at: number;
  /** Offset of what follows, by the length it states; neither that length nor the file's is checked. */
  end: number;
}

/**
 * Walks the segments after the first marker to the end of the file, as libjpeg does: bytes that belong to no segment are
 * skipped, and so are a scan's codes. Each segment counts as one read.
 */
export function* segmentsOf(header: HeaderBytes): Generator<JpegSegment> {
  for (let at = header.find(0xff, 2); at + 1 < header.length; ) {
    const marker = header.uint(at + 1, 1);
    const end = marker === fillByte ? at + 1 : at + 2 + (hasNoLength(marker) ? 0 : header.peek(at + 2, 2));
    yield { marker, at, end };
    at = marker === startOfScan ? endOfCodes(header, end) : header.find(0xff, end);
  }
}

/** Offset of the marker that ends a scan, whose codes contain only stuffed zeros and restart markers. */
function endOfCodes(header: HeaderBytes, start: number): number {
  let at = header.find(0xff, start);
  for (;;) {
    const marker = header.peek(at + 1, 1);
    if (at + 1 >= header.length || (marker !== fillByte && !hasNoLength(marker))) return at;
    at = header.find(0xff, at + 1);
  }
}

/** The length that a segment states, itself included. Throws `invalid_image` for one that cannot be. */
export function readLength(header: HeaderBytes, { at }: JpegSegment): number {
  const length = header.uint(at + 2, 2);
  if (length >= 2) return length;
  throw header.unexpected({ expected: "segments of 2 bytes or more", received: `one of ${length}` });
}

/** Reads the segments up to the first scan, since an EXIF block may follow the frame header. */
export function readJpeg(header: HeaderBytes): ImageSize {
  let frame: { width: number; height: number } | undefined;
  let orientation: number | undefined;
  for (const segment of segmentsOf(header)) {
    const { marker, at } = segment;
    if (marker === startOfScan && frame) return { ...frame, orientation: orientation ?? 1 };
    if (marker === startOfScan || marker === startOfImage || marker === endOfImage) {
      throw header.unexpected({ expected: "a frame header and a scan", received: `marker ff${marker.toString(16)}` });
    }
    if (marker === fillByte || hasNoLength(marker)) continue;
    const end = at + 2 + readLength(header, segment);
    if (marker === jpegLsFrame) throw header.unsupported({ expected: decodedFrames, received: "of JPEG-LS" });
    if (isFrameHeader(marker)) frame ??= readFrame(header, segment);
    if (marker === app1) orientation ??= readExif(header, { start: at + 4, end });
  }
  throw header.cutShort();
}

/** Whether nothing follows a marker: stuffed zeros, TEM and restart markers. */
export function hasNoLength(marker: number): boolean {
  return marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd7);
}

/** SOF0 to SOF15, except DHT, JPG and DAC, whose codes are among theirs. */
export function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

function readFrame(header: HeaderBytes, { marker, at }: JpegSegment): { width: number; height: number } {
  const size = { height: header.uint(at + 5, 2), width: header.uint(at + 7, 2) };
  const bits = header.uint(at + 4, 1);
  if (otherFrames.includes(marker)) {
    throw header.unsupported({ expected: decodedFrames, received: "of a hierarchical or arithmetic lossless one" });
  }
  if (bits !== 8) throw header.unsupported({ expected: "of 8 bits per channel", received: `of ${bits}` });
  return size;
}

/** The orientation of an EXIF segment; undefined for another APP1 segment, like XMP. */
function readExif(header: HeaderBytes, { start, end }: { start: number; end: number }): number | undefined {
  const isExif = end - start >= exifPrefix.length && header.text(start, exifPrefix.length) === exifPrefix;
  return isExif ? readExifOrientation(header.slice(start, end)) : undefined;
}
