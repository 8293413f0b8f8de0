import { CaptionError } from "../errors.ts";
import { HeaderBytes } from "./header-bytes.ts";
import { isTiff, orientationOf, readFirstDirectory } from "./tiff.ts";

/** What stands before the TIFF structure of an EXIF block in JPEG, and now and then in the others. */
export const exifPrefix = "Exif\0\0";

/** The orientation an EXIF block asks for; 1 for a broken block, since decoders show such photos as they are stored. */
export function readExifOrientation(block: Uint8Array): number {
  try {
    const start = String.fromCharCode(...block.subarray(0, exifPrefix.length)) === exifPrefix ? exifPrefix.length : 0;
    const header = new HeaderBytes(block.subarray(start), "EXIF");
    return isTiff(header.text(0, 4)) ? orientationOf(readFirstDirectory(header)) : 1;
  } catch (error) {
    if (error instanceof CaptionError) return 1;
    throw error;
  }
}
