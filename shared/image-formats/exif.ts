import { CaptionError } from "../errors.ts";
import { HeaderBytes } from "./header-bytes.ts";
import { isTiff, orientationOf, orientationTag, readFirstDirectory, shortType } from "./tiff.ts";

/** Precedes the TIFF structure of an EXIF block in JPEG, and sometimes in other formats. */
export const exifPrefix = "Exif\0\0";

/** libexif reads no directory beyond the length of a JPEG segment, in any format. */
const maxDirectoryEnd = 0xfffe - exifPrefix.length;
/** libvips ignores EXIF above 8 MiB; earlier versions ignored it above 1 MiB. */
export const maxExifBytes = 2 ** 20 - exifPrefix.length;
const entryBytes = 12;

/** The orientation of an EXIF block; 1 for a broken block, since decoders show such photos as they are stored. */
export function readExifOrientation(block: Uint8Array): number {
  try {
    const header = new HeaderBytes(withoutExifPrefix(block), "EXIF");
    return isTiff(header.text(0, 4)) ? orientationOf(readFirstDirectory(header)) : 1;
  } catch (error) {
    if (error instanceof CaptionError) return 1;
    throw error;
  }
}

/**
 * Reads the orientation of an EXIF block on which all decoders agree: a classic TIFF structure whose first directory is
 * whole and has at most one orientation, a single SHORT. Throws `invalid_image` for any other block.
 */
export function readCanonicalOrientation(tiff: Uint8Array): number {
  const header = new HeaderBytes(tiff.subarray(0, maxDirectoryEnd), "EXIF");
  const magic = header.text(0, 4);
  const endian = { littleEndian: magic === "II*\0" };
  const directoryAt = header.uint(4, 4, endian);
  const entries = header.uint(directoryAt, 2, endian);
  const entriesAt = directoryAt + 2;
  const isClassic = magic === "II*\0" || magic === "MM\0*";
  const isWhole = directoryAt >= 8 && entriesAt + entries * entryBytes <= header.length;
  if (!isClassic || !isWhole || tiff.length > maxExifBytes) {
    throw header.unexpected({ expected: "a whole classic TIFF directory", received: "none" });
  }
  let orientation: number | undefined;
  for (let index = 0; index < entries; index++) {
    const entryAt = entriesAt + index * entryBytes;
    const tag = header.uint(entryAt, 2, endian);
    if (tag !== orientationTag) continue;
    const isShort = header.uint(entryAt + 2, 2, endian) === shortType && header.uint(entryAt + 4, 4, endian) === 1;
    if (!isShort || orientation !== undefined) {
      throw header.unexpected({ expected: "one orientation, a single SHORT", received: "another" });
    }
    orientation = header.uint(entryAt + 8, 2, endian);
  }
  return orientationOf(new Map([[orientationTag, orientation ?? 1]]));
}

/** The TIFF structure of an EXIF block. */
export function withoutExifPrefix(block: Uint8Array): Uint8Array {
  const start = String.fromCharCode(...block.subarray(0, exifPrefix.length));
  return start === exifPrefix ? block.subarray(exifPrefix.length) : block;
}
