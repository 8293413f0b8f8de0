import type { FileContent, HeaderBytes } from "./header-bytes.ts";
import { chunkHeaderBytes, firstChunkAt, little, readWebp } from "./webp.ts";

// Flags of the extended header.
const alphaFlag = 0x10;
const exifFlag = 0x08;
const xmpFlag = 0x04;

/**
 * Keeps all but EXIF and XMP, and of the file's own header the name alone. A file has an extended header (VP8X) only where
 * something stands beside its pixels, so a simple file counts as if it had one: writing metadata into it must not change it.
 */
export function readWebpContent(header: HeaderBytes): FileContent {
  const announced = header.uint(4, 4, little) + 8;
  if (announced !== header.length) {
    throw header.unexpected({ expected: `${announced} bytes`, received: String(header.length) });
  }
  const kept = [header.slice(0, 4), header.slice(8, firstChunkAt), impliedHeader(header)];
  const exif: Uint8Array[] = [];
  for (let start = firstChunkAt; start < header.length; ) {
    const type = header.text(start, 4);
    const dataAt = start + chunkHeaderBytes;
    const dataEnd = dataAt + header.uint(start + 4, 4, little);
    const end = dataEnd + (dataEnd % 2); // chunks are padded to an even length
    if (end > header.length) throw header.unexpected({ expected: "whole chunks", received: `${type} cut short` });
    if (type === "EXIF") exif.push(header.slice(dataAt, dataEnd));
    else if (type === "VP8X" && start === firstChunkAt) kept.push(header.slice(dataAt + impliedBytes, end));
    else if (type !== "XMP ") kept.push(header.slice(start, end));
    start = end;
  }
  return { kept, exif };
}

/** Flags and canvas: what the extended header holds. */
const impliedBytes = 10;

/** The extended header's data with the flags for metadata off; for a simple file, that which it would have. */
function impliedHeader(header: HeaderBytes): Uint8Array {
  const { width, height } = readWebp(header);
  const flags = readFlags(header) & ~(exifFlag | xmpFlag);
  const data = new Uint8Array(impliedBytes);
  const view = new DataView(data.buffer);
  view.setUint32(0, flags, true);
  view.setUint32(4, width - 1, true);
  view.setUint16(7, (height - 1) & 0xffff, true); // 24 bits each
  view.setUint8(9, (height - 1) >>> 16);
  return data;
}

function readFlags(header: HeaderBytes): number {
  const dataAt = firstChunkAt + chunkHeaderBytes;
  const type = header.text(firstChunkAt, 4);
  if (type === "VP8X") return header.uint(dataAt, 4, little);
  const hasAlpha = type === "VP8L" && (header.uint(dataAt + 4, 1) & 0x10) !== 0; // bit 28 of what follows the signature
  return hasAlpha ? alphaFlag : 0;
}
