import { exifPrefix, readExifOrientation } from "./exif.ts";
import type { FileContent, HeaderBytes, ImageSize } from "./header-bytes.ts";

// Marker codes of ITU T.81, table B.1.
export const startOfImage = 0xd8;
export const endOfImage = 0xd9;
export const startOfScan = 0xda;
const app1 = 0xe1;
const app13 = 0xed; // Photoshop's resources, including IPTC
const comment = 0xfe;
/** Any number of these may precede a marker's code. */
const fillByte = 0xff;
const jpegLsFrame = 0xf7;
/** Hierarchical frames, and lossless ones with arithmetic coding. */
const otherFrames = [0xc5, 0xc6, 0xc7, 0xcb, 0xcd, 0xce, 0xcf];
const decodedFrames = "of the baseline, progressive or lossless process";

/** Names at the start of APP1 segments that hold metadata: EXIF, XMP, and XMP continued from another segment. */
const metadataPrefixes = [exifPrefix, "http://ns.adobe.com/xap/1.0/\0", "http://ns.adobe.com/xmp/extension/\0"];

/** Reads, beside those made, that a marker counts as: which files have a content id must not change with the code. */
const readsPerMarker = 2;

/** A marker with its data, or a fill byte, whose `marker` is `fillByte`. */
interface JpegSegment {
  marker: number;
  /** Offset of the `ff` that opens it. */
  at: number;
  /** Offset of what follows, by the length it states; neither that length nor the file's is checked. */
  end: number;
}

/** Whether a file begins with a start-of-image marker. */
export function isJpeg(magic: string): boolean {
  return magic.startsWith("\xff\xd8");
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

/**
 * Separates a file's content from its metadata: APP1 with EXIF or XMP, APP13 and comments. Metadata precedes the first scan;
 * from there on the file is kept whole. Fill bytes belong to the marker after them. Unlike `readJpeg`, this refuses bytes
 * between segments, about which decoders disagree.
 */
export function readJpegContent(header: HeaderBytes): FileContent {
  const kept = [header.slice(0, 2)];
  const exif: Uint8Array[] = [];
  let start = 2;
  for (const segment of segmentsOf(header)) {
    const { marker, at, end } = segment;
    if (header.peek(start, 1) !== 0xff) {
      throw header.unexpected({ expected: "a marker", received: "bytes of no segment" });
    }
    if (marker === fillByte) continue;
    header.spend(readsPerMarker);
    if (marker === startOfScan) return { kept: [...kept, header.slice(start, header.length)], exif };
    if (marker === 0 || marker === startOfImage || marker === endOfImage) {
      throw header.unexpected({ expected: "segments up to a scan", received: `marker ff${marker.toString(16)}` });
    }
    const name = hasNoLength(marker) ? "" : readName(header, segment);
    if (marker === app1 && name.startsWith("Exif") && !name.startsWith(exifPrefix)) {
      // libvips takes these for EXIF as well
      throw header.unexpected({ expected: "EXIF segments with two zeros", received: "another" });
    }
    if (!isMetadata(marker, name)) kept.push(header.slice(start, end));
    else if (name.startsWith(exifPrefix)) exif.push(header.slice(at + 4 + exifPrefix.length, end));
    start = end;
  }
  throw header.cutShort();
}

/**
 * Yields the segments from the first marker to the end of the file, like libjpeg: skips bytes that belong to no segment, and
 * a scan's codes. Each segment counts as one read.
 */
export function* segmentsOf(header: HeaderBytes): Generator<JpegSegment> {
  for (let at = header.find(0xff, 2); at + 1 < header.length; ) {
    const marker = header.uint(at + 1, 1);
    const end = marker === fillByte ? at + 1 : at + 2 + (hasNoLength(marker) ? 0 : header.peek(at + 2, 2));
    yield { marker, at, end };
    at = marker === startOfScan ? endOfCodes(header, end) : header.find(0xff, end);
  }
}

/** Finds the marker that ends a scan, whose codes contain only stuffed zeros and restart markers. */
function endOfCodes(header: HeaderBytes, start: number): number {
  let at = header.find(0xff, start);
  for (;;) {
    const marker = header.peek(at + 1, 1);
    if (at + 1 >= header.length || (marker !== fillByte && !hasNoLength(marker))) return at;
    at = header.find(0xff, at + 1);
  }
}

/** Reads the length that a segment states, which includes itself. Throws `invalid_image` for an impossible one. */
function readLength(header: HeaderBytes, { at }: JpegSegment): number {
  const length = header.uint(at + 2, 2);
  if (length >= 2) return length;
  throw header.unexpected({ expected: "segments of 2 bytes or more", received: `one of ${length}` });
}

/** Whether a marker has no data: a stuffed zero, TEM and the restart markers. */
export function hasNoLength(marker: number): boolean {
  return marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd7);
}

/** Whether a marker is SOF0 to SOF15; DHT, JPG and DAC have codes among theirs. */
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

/** Reads the orientation of an APP1 segment with EXIF; undefined for others, such as XMP. */
function readExif(header: HeaderBytes, { start, end }: { start: number; end: number }): number | undefined {
  const isExif = end - start >= exifPrefix.length && header.text(start, exifPrefix.length) === exifPrefix;
  return isExif ? readExifOrientation(header.slice(start, end)) : undefined;
}

/** Reads the first bytes of a segment's data. Throws `invalid_image` for a segment that is cut short. */
function readName(header: HeaderBytes, segment: JpegSegment): string {
  const dataBytes = readLength(header, segment) - 2;
  if (segment.end > header.length) throw header.unexpected({ expected: "whole segments", received: "one cut short" });
  const longest = Math.max(...metadataPrefixes.map(({ length }) => length));
  return header.text(segment.at + 4, Math.min(dataBytes, longest));
}

function isMetadata(marker: number, name: string): boolean {
  const isMetadataApp1 = marker === app1 && metadataPrefixes.some((prefix) => name.startsWith(prefix));
  return isMetadataApp1 || marker === app13 || marker === comment;
}
