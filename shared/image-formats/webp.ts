import { readExifOrientation, withoutExifPrefix } from "./exif.ts";
import type { FileContent, HeaderBytes, ImageSize } from "./header-bytes.ts";

const little = { littleEndian: true };
/** Offset after `RIFF`, the file's size and `WEBP`. */
const firstChunkAt = 12;
/** Size of a chunk's type and length. */
const chunkHeaderBytes = 8;
const vp8StartCode = 0x2a019d;
const losslessSignature = 0x2f;

// Flags of the extended header.
const iccFlag = 0x20;
const alphaFlag = 0x10;
const exifFlag = 0x08;
const xmpFlag = 0x04;
const animationFlag = 0x02;
const knownFlags = iccFlag | alphaFlag | exifFlag | xmpFlag | animationFlag;

/** Chunks that a flag must announce: libwebp ignores them when their flag is off. */
const flagged = new Map([
  ["ICCP", iccFlag],
  ["EXIF", exifFlag],
  ["XMP ", xmpFlag],
  ["ANIM", animationFlag],
]);

/** Order of the chunks after an extended header. Unknown chunks may be anywhere. */
const ranks = new Map([
  ["ICCP", 1],
  ["ANIM", 2],
  ["ANMF", 3],
  ["ALPH", 3],
  ["VP8 ", 3],
  ["VP8L", 3],
  ["EXIF", 4],
  ["XMP ", 4],
]);

/** Size of an extended header's data: flags and canvas. */
const extendedBytes = 10;

/** A chunk by the size that it states; whether the file is that long is not checked. */
interface WebpChunk {
  type: string;
  start: number;
  dataAt: number;
  dataEnd: number;
  /** Offset of the next chunk: data is padded to an even length. */
  end: number;
}

/** Whether a file is RIFF with the type WEBP. */
export function isWebp(magic: string): boolean {
  return magic.startsWith("RIFF") && magic.startsWith("WEBP", 8);
}

/** Reads lossy (RFC 6386, section 9.1), lossless and extended files; an extended file's size is that of its canvas. */
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
  // the upper two bits of each are a hint for upscaling
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
  const hasExif = (header.uint(dataAt, 1) & exifFlag) !== 0;
  return { width, height, orientation: hasExif ? findOrientation(header) : 1 };
}

/** Finds the EXIF chunk, which comes after the pixels. A file that is cut short there is left to the decoder. */
function findOrientation(header: HeaderBytes): number {
  for (const { type, dataAt, dataEnd } of chunksOf(header)) {
    if (type === "EXIF") return readExifOrientation(header.slice(dataAt, dataEnd));
  }
  return 1;
}

/** Yields the chunks whose type and size are whole; the last one's data may be cut short. */
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

/**
 * Separates a file's content from its metadata: EXIF and XMP, and of the RIFF header the length. A file has an extended header
 * (VP8X) only if there is something beside its pixels, so a simple file is treated as if it had one: writing metadata into it
 * must not change its content.
 */
export function readWebpContent(header: HeaderBytes): FileContent {
  const chunks = readWholeChunks(header);
  expectCanonical(header, chunks);
  const kept = [header.slice(0, 4), header.slice(8, firstChunkAt), impliedHeader(header)];
  const exif: Uint8Array[] = [];
  for (const { type, start, dataAt, dataEnd, end } of chunks) {
    if (type === "EXIF") exif.push(withoutExifPrefix(header.slice(dataAt, dataEnd)));
    else if (type !== "XMP " && type !== "VP8X") kept.push(header.slice(start, end));
  }
  return { kept, exif };
}

/** Reads the chunks of a file that has the length it states and ends with a whole chunk. */
function readWholeChunks(header: HeaderBytes): WebpChunk[] {
  const stated = header.uint(4, 4, little) + 8;
  const chunks = [...chunksOf(header)];
  const end = chunks.at(-1)?.end ?? firstChunkAt;
  if (stated === header.length && end === header.length) return chunks;
  throw header.unexpected({ expected: "whole chunks up to the stated length", received: `${header.length} bytes` });
}

/** Refuses what decoders ignore: libwebp reads only a simple file's first chunk, and ten bytes of an extended header. */
function expectCanonical(header: HeaderBytes, chunks: readonly WebpChunk[]): void {
  const [first, ...others] = chunks;
  const isCanonical =
    first?.type === "VP8X"
      ? first.dataEnd - first.dataAt === extendedBytes && agreesWithFlags(others, readFlags(header))
      : others.length === 0;
  if (!isCanonical) throw header.unexpected({ expected: "chunks that agree with the header", received: "others" });
}

/** Whether the chunks after an extended header are in order, and each occurs once or not at all, as its flag says. */
function agreesWithFlags(chunks: readonly WebpChunk[], flags: number): boolean {
  const order = chunks.flatMap(({ type }) => ranks.get(type) ?? []);
  const isInOrder = order.every((rank, index) => rank >= (order[index - 1] ?? rank));
  const count = (wanted: string) => chunks.filter(({ type }) => type === wanted).length;
  const hasFlagged = [...flagged].every(([type, flag]) => count(type) === ((flags & flag) === 0 ? 0 : 1));
  return isInOrder && hasFlagged && count("VP8X") === 0 && (flags & ~knownFlags) === 0;
}

/** Returns the extended header's data with the flags for metadata off; for a simple file, the data that it would have. */
function impliedHeader(header: HeaderBytes): Uint8Array {
  const { width, height } = readWebp(header);
  const flags = readFlags(header) & ~(exifFlag | xmpFlag);
  const data = new Uint8Array(extendedBytes);
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
  const hasAlpha = type === "VP8L" && (header.uint(dataAt + 4, 1) & 0x10) !== 0; // bit 28 after the signature
  return hasAlpha ? alphaFlag : 0;
}
