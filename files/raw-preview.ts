import { extname } from "node:path";
import { CaptionError } from "../shared/errors.ts";
import { readImageHeader } from "../shared/image-header.ts";
import { expectExifTool, type Metadata, type PreviewTag, previewTags, type RawTags } from "./exiftool.ts";
import { UnfitForCaption } from "./file-error.ts";
import { readPhotoFile } from "./read-photo-file.ts";

/** Raw formats whose files hold a JPEG that the camera made, by extension. */
const rawExtensions = new Set([".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"]);

/** Most bytes of a preview: a camera's largest JPEGs have half of that. */
const maxPreviewBytes = 64 * 2 ** 20;

/** Whether a file is a raw photo by its name. It is captioned by its preview, and nothing is ever written into it. */
export function isRawPhoto(path: string): boolean {
  return rawExtensions.has(extname(path).toLowerCase());
}

/** Reads the previews of raw photos through ExifTool. */
export class RawPreviews {
  readonly #metadata: Metadata;
  #ready: Promise<void> | undefined;

  constructor(metadata: Metadata) {
    this.#metadata = metadata;
  }

  /**
   * Reads the largest preview of a raw photo that can be decoded, upright by the photo's own orientation where the preview
   * states none. Throws a sentence that names the format of a photo without one.
   */
  async read(file: string): Promise<Uint8Array<ArrayBuffer>> {
    const whole = await readPhotoFile(file);
    if (isDecodedJpeg(whole)) return whole; // only called raw
    await this.#expectExifTool();
    const tags = await this.#metadata.read(file, [...previewTags, "Orientation#"]);
    for (const tag of bySize(tags)) {
      const preview = await this.#metadata.extract(file, tag).catch(() => undefined); // ExifTool refuses what is no JPEG
      if (preview !== undefined && isDecodedJpeg(preview))
        return withOrientation(preview, Number(tagValue(tags, "Orientation") ?? 1));
    }
    const format = extname(file).slice(1).toUpperCase();
    throw new UnfitForCaption(
      `a raw photo (${format}) without an embedded JPEG preview: export it as JPEG to caption it`,
    );
  }

  async #expectExifTool(): Promise<void> {
    this.#ready ??= expectExifTool("raw photos");
    try {
      await this.#ready;
    } catch (cause) {
      throw new UnfitForCaption(cause instanceof Error ? cause.message : String(cause), { cause });
    }
  }
}

/** Returns the tags that a file has, the largest first. ExifTool tells of binary data by its size. */
function bySize(tags: RawTags): PreviewTag[] {
  const sizeOf = (tag: PreviewTag) => Number(/^\(Binary data (\d+) bytes/.exec(String(tagValue(tags, tag)))?.[1] ?? 0);
  const there = previewTags.filter((tag) => sizeOf(tag) > 0 && sizeOf(tag) <= maxPreviewBytes);
  return there.sort((one, other) => sizeOf(other) - sizeOf(one));
}

/** Returns a tag's value, whatever group of the file it is in. */
function tagValue(tags: RawTags, name: string): unknown {
  return Object.entries(tags).find(([key]) => key === name || key.endsWith(`:${name}`))?.[1];
}

function isDecodedJpeg(bytes: Uint8Array): boolean {
  try {
    return readImageHeader(bytes).format === "jpeg";
  } catch (error) {
    if (error instanceof CaptionError) return false;
    throw error;
  }
}

/** Adds an EXIF block with an orientation to a JPEG that has no EXIF. */
function withOrientation(jpeg: Uint8Array<ArrayBuffer>, orientation: number): Uint8Array<ArrayBuffer> {
  const hasExif = Buffer.from(jpeg.buffer, jpeg.byteOffset, Math.min(jpeg.length, 65_536)).includes("Exif\0\0");
  if (hasExif || orientation <= 1 || orientation > 8 || !Number.isInteger(orientation)) return jpeg;
  const field = [0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]; // SHORT 0x0112, little-endian
  const tiff = [...Buffer.from("II*\0"), 8, 0, 0, 0, 1, 0, ...field, 0, 0, 0, 0];
  const block = [...Buffer.from("Exif\0\0"), ...tiff];
  return new Uint8Array(
    Buffer.concat([jpeg.subarray(0, 2), Buffer.of(0xff, 0xe1, 0, block.length + 2, ...block), jpeg.subarray(2)]),
  );
}
