import { CaptionError } from "./errors.ts";
import { readCanonicalOrientation } from "./image-formats/exif.ts";
import { HeaderBytes } from "./image-formats/header-bytes.ts";
import { isJpeg, readJpegContent } from "./image-formats/jpeg.ts";
import { isPng, readPngContent } from "./image-formats/png.ts";
import { isWebp, readWebpContent } from "./image-formats/webp.ts";
import { joinBytes } from "./join-bytes.ts";

/** `sha256:` and the hex SHA-256 of a photo's bytes. */
export type ByteId = `sha256:${string}`;

/** `content:` and the hex SHA-256 of what a photo shows, which stays the same when a caption is written into its file. */
export type ContentId = `content:${string}`;

/** A photo's ids. Malformed files, and formats whose metadata we cannot separate, have no content id. */
export interface PhotoIds {
  id: ByteId;
  contentId?: ContentId;
}

const contentReaders = [
  { name: "JPEG", matches: isJpeg, read: readJpegContent },
  { name: "PNG", matches: isPng, read: readPngContent },
  { name: "WebP", matches: isWebp, read: readWebpContent },
];

const magicBytes = 16;

/** Computes both ids of a photo, or the one that it has. */
export async function photoIdsOf(bytes: Uint8Array<ArrayBuffer>): Promise<PhotoIds> {
  const [id, contentId] = await Promise.all([byteIdOf(bytes), contentIdOf(bytes)]);
  return contentId === undefined ? { id } : { id, contentId };
}

/** Computes the id of a photo's bytes. */
export async function byteIdOf(bytes: Uint8Array<ArrayBuffer>): Promise<ByteId> {
  return byteIdFromHash(await crypto.subtle.digest("SHA-256", bytes));
}

/** Makes the byte id of a photo from its SHA-256. */
export function byteIdFromHash(hash: ArrayBuffer | Uint8Array): ByteId {
  return `sha256:${toHex(hash)}`;
}

/** Computes the id of what a photo shows; undefined if that cannot be separated from metadata. */
export async function contentIdOf(bytes: Uint8Array): Promise<ContentId | undefined> {
  const content = photoContentOf(bytes);
  return content && `content:${toHex(await crypto.subtle.digest("SHA-256", content))}`;
}

/**
 * Returns what a photo shows, as bytes to hash: the file without its captions and camera data, and one byte for its EXIF
 * orientation. They stay the same when a caption is written into the photo, and change with any change of its pixels.
 * Undefined for other formats, for malformed files, and for files whose metadata is not canonical: decoders may read those
 * differently, so a file could be crafted that has another photo's content and shows other pixels.
 */
export function photoContentOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const magic = String.fromCharCode(...bytes.subarray(0, magicBytes));
  const reader = contentReaders.find(({ matches }) => matches(magic));
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

/** Writes bytes as lower-case hexadecimal digits. */
export function toHex(bytes: ArrayBuffer | Uint8Array): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
