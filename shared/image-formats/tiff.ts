import type { HeaderBytes, ImageSize } from "./header-bytes.ts";

export const orientationTag = 274;
export const shortType = 3;

/** Sizes in bytes of the integer field types: BYTE, SHORT, LONG and BigTIFF's LONG8. */
export const wholeNumberSizes = new Map([
  [1, 1],
  [shortType, 2],
  [4, 4],
  [16, 8],
]);

/** Layout of a directory in TIFF and BigTIFF, in bytes: its count, an entry, and an offset, which is also the room for a value. */
export const classicLayout = { firstOffsetAt: 4, countSize: 2, entrySize: 12, offsetSize: 4 };
export const bigLayout = { firstOffsetAt: 8, countSize: 8, entrySize: 20, offsetSize: 8 };

/** Whether a file is TIFF or BigTIFF, in either byte order. */
export function isTiff(magic: string): boolean {
  return ["II*\0", "MM\0*", "II+\0", "MM\0+"].includes(magic.slice(0, 4));
}

/** Reads the size and orientation of a file's first page. */
export function readTiff(header: HeaderBytes): ImageSize {
  const tags = readFirstDirectory(header);
  const width = tags.get(256);
  const height = tags.get(257);
  if (width === undefined || height === undefined) {
    throw header.unexpected({ expected: "width and height (tags 256 and 257)", received: "a directory without them" });
  }
  return { width, height, orientation: orientationOf(tags) };
}

/**
 * Reads the single integers of a TIFF structure's first directory, by tag. Does not follow links to other directories, which
 * could form a cycle.
 */
export function readFirstDirectory(header: HeaderBytes): Map<number, number> {
  const endian = { littleEndian: header.text(0, 1) === "I" };
  const layout = header.uint(2, 2, endian) === 43 ? bigLayout : classicLayout;
  const directoryAt = header.uint(layout.firstOffsetAt, layout.offsetSize, endian);
  const count = header.uint(directoryAt, layout.countSize, endian);
  const tags = new Map<number, number>();
  for (let index = 0; index < count; index++) {
    const entryAt = directoryAt + layout.countSize + index * layout.entrySize;
    const tag = header.uint(entryAt, 2, endian);
    const size = wholeNumberSizes.get(header.uint(entryAt + 2, 2, endian));
    const values = header.uint(entryAt + 4, layout.offsetSize, endian);
    if (size === undefined || size > layout.offsetSize || values !== 1 || tags.has(tag)) continue;
    tags.set(tag, header.uint(entryAt + 4 + layout.offsetSize, size, endian));
  }
  return tags;
}

/** Returns the orientation among a first directory's tags; EXIF and TIFF use the same tag. */
export function orientationOf(tags: Map<number, number>): number {
  const orientation = tags.get(orientationTag) ?? 1;
  return orientation >= 1 && orientation <= 8 ? orientation : 1;
}
