import { exifPrefix, readExifOrientation } from "./exif.ts";
import type { FileContent, HeaderBytes, ImageSize } from "./header-bytes.ts";

// Marker codes of ITU T.81, table B.1.
export const startOfImage = 0xd8;
export const endOfImage = 0xd9;
export const startOfScan = 0xda;
const app1 = 0xe1;
const app13 = 0xed; // Photoshop's resources, including IPTC
const comment = 0xfe;
const jpegLsFrame = 0xf7;
/** Hierarchical frames, and lossless ones with arithmetic coding. */
const otherFrames = [0xc5, 0xc6, 0xc7, 0xcb, 0xcd, 0xce, 0xcf];
const decodedFrames = "of the baseline, progressive or lossless process";

/** Names at the start of APP1 segments that hold metadata: EXIF, XMP, and XMP continued from another segment. */
const metadataPrefixes = [exifPrefix, "http://ns.adobe.com/xap/1.0/\0", "http://ns.adobe.com/xmp/extension/\0"];

/** Whether a file begins with a start-of-image marker. */
export function isJpeg(magic: string): boolean {
  return magic.startsWith("\xff\xd8");
}

/**
 * Reads the segments up to the first scan, since an EXIF block may follow the frame header. Skips bytes between segments, as
 * libjpeg does.
 */
export function readJpeg(header: HeaderBytes): ImageSize {
  let frame: { width: number; height: number } | undefined;
  let orientation: number | undefined;
  for (let offset = 2; ; ) {
    offset = header.find(0xff, offset);
    const marker = header.uint(offset + 1, 1);
    if (marker === startOfScan && frame) return { ...frame, orientation: orientation ?? 1 };
    if (marker === startOfScan || marker === startOfImage || marker === endOfImage) {
      throw header.unexpected({ expected: "a frame header and a scan", received: `marker ff${marker.toString(16)}` });
    }
    if (marker === 0xff) {
      offset += 1; // a fill byte
    } else if (hasNoLength(marker)) {
      offset += 2;
    } else {
      const length = header.uint(offset + 2, 2);
      if (length < 2)
        throw header.unexpected({ expected: "segments of 2 bytes or more", received: `one of ${length}` });
      if (marker === jpegLsFrame) throw header.unsupported({ expected: decodedFrames, received: "of JPEG-LS" });
      if (isFrameHeader(marker)) frame ??= readFrame(header, { marker, offset });
      if (marker === app1) orientation ??= readExif(header, { start: offset + 4, end: offset + 2 + length });
      offset += 2 + length;
    }
  }
}

/**
 * Separates a file's content from its metadata: APP1 with EXIF or XMP, APP13 and comments. Metadata precedes the first scan;
 * from there on the file is kept whole. Fill bytes belong to the marker after them. Unlike `readJpeg`, this refuses bytes
 * between segments, about which decoders disagree.
 */
export function readJpegContent(header: HeaderBytes): FileContent {
  const kept = [header.slice(0, 2)];
  const exif: Uint8Array[] = [];
  for (let start = 2; ; ) {
    const markerAt = skipFillBytes(header, start);
    const marker = header.uint(markerAt, 1);
    if (marker === startOfScan) return { kept: [...kept, header.slice(start, header.length)], exif };
    if (marker === 0 || marker === startOfImage || marker === endOfImage) {
      throw header.unexpected({ expected: "segments up to a scan", received: `marker ff${marker.toString(16)}` });
    }
    const end = markerAt + 1 + (hasNoLength(marker) ? 0 : header.uint(markerAt + 1, 2));
    if (end > header.length) throw header.unexpected({ expected: "whole segments", received: "one cut short" });
    const name = hasNoLength(marker) ? "" : readName(header, { start: markerAt + 3, end });
    if (marker === app1 && name.startsWith("Exif") && !name.startsWith(exifPrefix)) {
      // libvips takes these for EXIF as well
      throw header.unexpected({ expected: "EXIF segments with two zeros", received: "another" });
    }
    if (!isMetadata(marker, name)) kept.push(header.slice(start, end));
    else if (name.startsWith(exifPrefix)) exif.push(header.slice(markerAt + 3 + exifPrefix.length, end));
    start = end;
  }
}

/** Whether a marker has no segment: a stuffed zero, TEM and the restart markers. */
export function hasNoLength(marker: number): boolean {
  return marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd7);
}

/** Whether a marker is SOF0 to SOF15; DHT, JPG and DAC have codes among theirs. */
export function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

function readFrame(
  header: HeaderBytes,
  { marker, offset }: { marker: number; offset: number },
): { width: number; height: number } {
  const size = { height: header.uint(offset + 5, 2), width: header.uint(offset + 7, 2) };
  const bits = header.uint(offset + 4, 1);
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

/** Returns the offset of a marker's code, after one `ff` or more. */
function skipFillBytes(header: HeaderBytes, start: number): number {
  let offset = start;
  while (header.uint(offset, 1) === 0xff) offset++;
  if (offset === start) throw header.unexpected({ expected: "a marker", received: "bytes of no segment" });
  return offset;
}

function readName(header: HeaderBytes, { start, end }: { start: number; end: number }): string {
  if (end < start) throw header.unexpected({ expected: "segments of 2 bytes or more", received: "a shorter one" });
  const longest = Math.max(...metadataPrefixes.map(({ length }) => length));
  return header.text(start, Math.min(end - start, longest));
}

function isMetadata(marker: number, name: string): boolean {
  const isMetadataApp1 = marker === app1 && metadataPrefixes.some((prefix) => name.startsWith(prefix));
  return isMetadataApp1 || marker === app13 || marker === comment;
}
