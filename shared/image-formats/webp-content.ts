import { withoutExifPrefix } from "./exif.ts";
import type { FileContent, HeaderBytes } from "./header-bytes.ts";
import { chunkHeaderBytes, chunksOf, firstChunkAt, little, readWebp, type WebpChunk } from "./webp.ts";

// Flags of the extended header.
const iccFlag = 0x20;
const alphaFlag = 0x10;
const exifFlag = 0x08;
const xmpFlag = 0x04;
const animationFlag = 0x02;
const knownFlags = iccFlag | alphaFlag | exifFlag | xmpFlag | animationFlag;

/** Chunks that need a flag: libwebp ignores them when it is off. */
const flagged = new Map([
  ["ICCP", iccFlag],
  ["EXIF", exifFlag],
  ["XMP ", xmpFlag],
  ["ANIM", animationFlag],
]);

/** The order of the chunks after an extended header. Unknown chunks may be anywhere. */
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

/** Data bytes of an extended header: flags and canvas size. */
const headerBytes = 10;

/**
 * Keeps all but EXIF and XMP, and of the file's own header only the name. A file has an extended header (VP8X) only if it holds
 * more than pixels, so a simple file counts as if it had one: writing metadata into it must not change its content.
 */
export function readWebpContent(header: HeaderBytes): FileContent {
  const chunks = readChunks(header);
  expectCanonical(header, chunks);
  const kept = [header.slice(0, 4), header.slice(8, firstChunkAt), impliedHeader(header)];
  const exif: Uint8Array[] = [];
  for (const { type, start, dataAt, dataEnd, end } of chunks) {
    if (type === "EXIF") exif.push(withoutExifPrefix(header.slice(dataAt, dataEnd)));
    else if (type !== "XMP " && type !== "VP8X") kept.push(header.slice(start, end));
  }
  return { kept, exif };
}

function readChunks(header: HeaderBytes): WebpChunk[] {
  const announced = header.uint(4, 4, little) + 8;
  if (announced !== header.length) {
    throw header.unexpected({ expected: `${announced} bytes`, received: String(header.length) });
  }
  const chunks = [...chunksOf(header)];
  const end = chunks.at(-1)?.end ?? firstChunkAt;
  if (end !== header.length) throw header.unexpected({ expected: "whole chunks", received: "one cut short" });
  return chunks;
}

/** Refuses chunks of which decoders skip some: all but the first of a simple file, and what follows an extended header's ten bytes. */
function expectCanonical(header: HeaderBytes, chunks: readonly WebpChunk[]): void {
  const [first, ...others] = chunks;
  const isCanonical =
    first?.type === "VP8X"
      ? first.dataEnd - first.dataAt === headerBytes && agreesWithFlags(others, readFlags(header))
      : others.length === 0;
  if (!isCanonical) throw header.unexpected({ expected: "chunks that agree with the header", received: "others" });
}

/** Whether the chunks after an extended header are in order, and each is there once or not at all, as the flags state. */
function agreesWithFlags(chunks: readonly WebpChunk[], flags: number): boolean {
  const order = chunks.flatMap(({ type }) => ranks.get(type) ?? []);
  const isInOrder = order.every((rank, index) => rank >= (order[index - 1] ?? rank));
  const count = (wanted: string) => chunks.filter(({ type }) => type === wanted).length;
  const hasFlagged = [...flagged].every(([type, flag]) => count(type) === ((flags & flag) === 0 ? 0 : 1));
  return isInOrder && hasFlagged && count("VP8X") === 0 && (flags & ~knownFlags) === 0;
}

/** The extended header's data without the flags for metadata; for a simple file, the one that it would have. */
function impliedHeader(header: HeaderBytes): Uint8Array {
  const { width, height } = readWebp(header);
  const flags = readFlags(header) & ~(exifFlag | xmpFlag);
  const data = new Uint8Array(headerBytes);
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
