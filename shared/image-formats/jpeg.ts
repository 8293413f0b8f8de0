import { exifPrefix, readExifOrientation } from "./exif.ts";
import type { HeaderBytes, ImageSize } from "./header-bytes.ts";

// Marker codes of ITU T.81, table B.1.
export const startOfImage = 0xd8;
export const endOfImage = 0xd9;
export const startOfScan = 0xda;
const exifSegment = 0xe1;
const jpegLsFrame = 0xf7;
/** Hierarchical frames, and lossless ones in arithmetic coding. */
const otherFrames = [0xc5, 0xc6, 0xc7, 0xcb, 0xcd, 0xce, 0xcf];
const decodedFrames = "of the baseline, progressive or lossless process";

/** By its first marker, start of image. */
export function isJpeg(magic: string): boolean {
  return magic.startsWith("\xff\xd8");
}

/**
 * Walks the segments up to the first scan, since an EXIF block may follow the frame header. Bytes between segments that
 * belong to none are skipped, as libjpeg does.
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
      if (marker === exifSegment) orientation ??= readExif(header, { start: offset + 4, end: offset + 2 + length });
      offset += 2 + length;
    }
  }
}

/** A stuffed zero, TEM, and the restart markers stand alone. */
export function hasNoLength(marker: number): boolean {
  return marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd7);
}

/** SOF0 to SOF15; DHT, JPG and DAC stand among their codes. */
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

/** The first EXIF block counts; other APP1 segments, like XMP, are none. */
function readExif(header: HeaderBytes, { start, end }: { start: number; end: number }): number | undefined {
  const isExif = end - start >= exifPrefix.length && header.text(start, exifPrefix.length) === exifPrefix;
  return isExif ? readExifOrientation(header.slice(start, end)) : undefined;
}
