import { joinBytes } from "../../shared/join-bytes.ts";

const extension = 0x21;
const imageDescriptor = 0x2c;
/** Logical screen descriptor included. */
const headerBytes = 13;
const descriptorBytes = 10;

/** A frame of one transparent pixel, and the end of the file. */
const transparentFrame = Uint8Array.of(
  ...[0x21, 0xf9, 4, 1, 0, 0, 0, 0],
  ...[0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 0],
  ...[2, 2, 0x44, 1, 0],
  0x3b,
);

/**
 * Cuts a GIF down to its first frame, so that no later one counts, and puts a transparent one behind it: libvips shows black
 * where the first frame leaves the canvas uncovered, unless some frame is transparent. A file that ends before its first
 * frame does stays as it is.
 */
export function firstFrameOf(bytes: Uint8Array): Uint8Array {
  let at = headerBytes + colourTableBytes(bytes[10] ?? 0);
  while (bytes[at] === extension) at = endOfBlocks(bytes, at + 2);
  if (bytes[at] !== imageDescriptor) return bytes;
  const dataAt = at + descriptorBytes + colourTableBytes(bytes[at + 9] ?? 0) + 1;
  const end = endOfBlocks(bytes, dataAt);
  return end > bytes.length ? bytes : joinBytes([bytes.subarray(0, end), transparentFrame]);
}

/** Of a global or local table, by the flags that announce it. */
function colourTableBytes(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}

/** Behind a row of sub-blocks, each a length and so many bytes, which an empty one ends; beyond the file where none does. */
function endOfBlocks(bytes: Uint8Array, start: number): number {
  let at = start;
  for (let length = bytes[at]; length !== 0; length = bytes[at]) {
    if (length === undefined) return bytes.length + 1;
    at += 1 + length;
  }
  return at + 1;
}
