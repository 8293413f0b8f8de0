import { exifPrefix } from "./exif.ts";
import type { FileContent, HeaderBytes } from "./header-bytes.ts";
import { endOfImage, hasNoLength, startOfImage, startOfScan } from "./jpeg.ts";

const app1 = 0xe1;
const app13 = 0xed; // Photoshop's resources, IPTC among them
const comment = 0xfe;

/** What opens an APP1 segment that holds metadata: EXIF, XMP, and XMP that goes on from another segment. */
const metadataPrefixes = [exifPrefix, "http://ns.adobe.com/xap/1.0/\0", "http://ns.adobe.com/xmp/extension/\0"];

/**
 * Keeps all but APP1 with EXIF or XMP, APP13 and comments. Metadata stands before the first scan; from there on the file
 * is kept whole. Fill bytes go with the marker behind them. Bytes that belong to no segment make the file malformed.
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

/** Where the marker's code stands: behind one `ff` or more. */
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
