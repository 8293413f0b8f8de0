import { CaptionError } from "./errors.ts";
import { readCanonicalOrientation } from "./image-formats/exif.ts";
import { HeaderBytes } from "./image-formats/header-bytes.ts";
import { isJpeg } from "./image-formats/jpeg.ts";
import { readJpegContent } from "./image-formats/jpeg-content.ts";
import { isPng } from "./image-formats/png.ts";
import { readPngContent } from "./image-formats/png-content.ts";
import { isWebp } from "./image-formats/webp.ts";
import { readWebpContent } from "./image-formats/webp-content.ts";
import { joinBytes } from "./join-bytes.ts";

const readers = [
  { name: "JPEG", matches: isJpeg, read: readJpegContent },
  { name: "PNG", matches: isPng, read: readPngContent },
  { name: "WebP", matches: isWebp, read: readWebpContent },
];

const magicBytes = 16;

/**
 * Returns what a photo shows, as bytes to hash: the file without its captions and camera data, and one byte for its EXIF
 * orientation. They stay the same when a caption is written into the photo, and change with any change of its pixels.
 * Undefined for other formats, for malformed files, and for files whose metadata is not canonical: decoders may read those
 * differently, so a file could be crafted that has another photo's content and shows other pixels.
 */
export function photoContentOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const magic = String.fromCharCode(...bytes.subarray(0, magicBytes));
  const reader = readers.find(({ matches }) => matches(magic));
  if (reader === undefined) return undefined;
  try {
    const { kept, exif } = reader.read(new HeaderBytes(bytes, reader.name));
    const [block, second] = exif;
    if (second !== undefined) return undefined;
    return joinBytes([...kept, Uint8Array.of(block === undefined ? 1 : readCanonicalOrientation(block))]);
  } catch (error) {
    if (error instanceof CaptionError) return undefined;
    throw error;
  }
}
