import { exifPrefix } from "./exif.ts";
import type { FileContent, HeaderBytes } from "./header-bytes.ts";
import {
  app1,
  endOfImage,
  fillByte,
  hasNoLength,
  type JpegSegment,
  readLength,
  segmentsOf,
  startOfImage,
  startOfScan,
} from "./jpeg.ts";

const app13 = 0xed; // Photoshop's resources, IPTC among them
const comment = 0xfe;

/** Names that open an APP1 segment of metadata: EXIF, XMP, and XMP continued from another segment. */
const metadataPrefixes = [exifPrefix, "http://ns.adobe.com/xap/1.0/\0", "http://ns.adobe.com/xmp/extension/\0"];

/** Reads, beside those made, that a marker counts as: which files have a content id must not change with the code. */
const readsPerMarker = 2;

/**
 * Keeps all but APP1 with EXIF or XMP, APP13 and comments. Metadata precedes the first scan; from there on the file
 * is kept whole. Fill bytes belong to the marker after them. Bytes that belong to no segment make the file malformed.
 */
export function readJpegContent(header: HeaderBytes): FileContent {
  const kept = [header.slice(0, 2)];
  const exif: Uint8Array[] = [];
  let start = 2;
  for (const segment of segmentsOf(header)) {
    const { marker, at, end } = segment;
    if (header.peek(start, 1) !== 0xff)
      throw header.unexpected({ expected: "a marker", received: "bytes of no segment" });
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

/** The first bytes of a segment's data. Throws `invalid_image` for a segment that is cut short. */
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
