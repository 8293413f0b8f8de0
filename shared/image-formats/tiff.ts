import type { HeaderBytes, ImageSize } from "./header-bytes.ts";

export const orientationTag = 274;
export const shortType = 3;

/** Sizes in bytes of the field types that hold whole numbers: BYTE, SHORT, LONG and BigTIFF's LONG8. */
export const wholeNumberSizes = new Map([
  [1, 1],
  [shortType, 2],
  [4, 4],
  [16, 8],
]);

/** Sizes in bytes of a directory's count, entry and offset (which may hold a value instead), in TIFF and in BigTIFF. */
export const classicLayout = { firstOffsetAt: 4, countSize: 2, entrySize: 12, offsetSize: 4 };
export const bigLayout = { firstOffsetAt: 8, countSize: 8, entrySize: 20, offsetSize: 8 };

/** Whether a file starts as a TIFF or BigTIFF of either byte order. */
export function isTiff(magic: string): boolean {
  return ["II*\0", "MM\0*", "II+\0", "MM\0+"].includes(magic.slice(0, 4));
}

/** Reads the size of the first page. */
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
 * Reads the fields of a TIFF structure's first directory that are single whole numbers, by tag. Other directories are not
 * followed, so no chain of them can be circular.
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

/** The orientation among a first directory's tags, in EXIF and in TIFF. */
export function orientationOf(tags: Map<number, number>): number {
  const orientation = tags.get(orientationTag) ?? 1;
  return orientation >= 1 && orientation <= 8 ? orientation : 1;
}
