import { readExifOrientation } from "./exif.ts";
import type { HeaderBytes, ImageSize } from "./header-bytes.ts";

export const little = { littleEndian: true };
/** Offset after `RIFF`, the file's size and `WEBP`. */
export const firstChunkAt = 12;
/** Bytes of a chunk's type and size. */
export const chunkHeaderBytes = 8;
const vp8StartCode = 0x2a019d;
const losslessSignature = 0x2f;

/** Whether a file starts as a RIFF file of this type. */
export function isWebp(magic: string): boolean {
  return magic.startsWith("RIFF") && magic.startsWith("WEBP", 8);
}

/** A chunk by the size that it states; whether the file is that long is not checked. */
export interface WebpChunk {
  type: string;
  start: number;
  dataAt: number;
  dataEnd: number;
  /** Offset of the next chunk: data is padded to an even length. */
  end: number;
}

/** Walks the chunks whose type and size are whole. */
export function* chunksOf(header: HeaderBytes): Generator<WebpChunk> {
  for (let start = firstChunkAt; start + chunkHeaderBytes <= header.length; ) {
    const dataBytes = header.uint(start + 4, 4, little);
    const dataAt = start + chunkHeaderBytes;
    const dataEnd = dataAt + dataBytes;
    const end = dataEnd + (dataBytes % 2);
    yield { type: header.text(start, 4), start, dataAt, dataEnd, end };
    start = end;
  }
}

/** Lossy (RFC 6386, section 9.1), lossless, and extended files; the latter's size is that of the canvas. */
export function readWebp(header: HeaderBytes): ImageSize {
  const type = header.text(firstChunkAt, 4);
  const dataAt = firstChunkAt + chunkHeaderBytes;
  if (type === "VP8 ") return readLossy(header, dataAt);
  if (type === "VP8L") return readLossless(header, dataAt);
  if (type === "VP8X") return readExtended(header, dataAt);
  throw header.unexpected({ expected: "a VP8, VP8L or VP8X chunk first", received: JSON.stringify(type) });
}

function readLossy(header: HeaderBytes, dataAt: number): ImageSize {
  if (header.uint(dataAt + 3, 3, little) !== vp8StartCode) {
    throw header.unexpected({ expected: "a VP8 key frame", received: "no start code" });
  }
  // the upper two bits of either are a hint for upscaling
  const width = header.uint(dataAt + 6, 2, little) & 0x3fff;
  const height = header.uint(dataAt + 8, 2, little) & 0x3fff;
  return { width, height, orientation: 1 };
}

function readLossless(header: HeaderBytes, dataAt: number): ImageSize {
  if (header.uint(dataAt, 1) !== losslessSignature) {
    throw header.unexpected({ expected: "a VP8L image", received: "no signature" });
  }
  const bits = header.uint(dataAt + 1, 4, little);
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1, orientation: 1 };
}

function readExtended(header: HeaderBytes, dataAt: number): ImageSize {
  const width = header.uint(dataAt + 4, 3, little) + 1;
  const height = header.uint(dataAt + 7, 3, little) + 1;
  const hasExif = (header.uint(dataAt, 1) & 0x08) !== 0;
  return { width, height, orientation: hasExif ? findOrientation(header) : 1 };
}

/** The EXIF chunk follows the pixels; a file that is cut short there is for the decoder to judge. */
function findOrientation(header: HeaderBytes): number {
  for (const { type, dataAt, dataEnd } of chunksOf(header)) {
    if (type === "EXIF") return readExifOrientation(header.slice(dataAt, dataEnd));
  }
  return 1;
}
