import sharp from "sharp";
import type { ImageInfo } from "../shared/contract.ts";
import { CaptionError } from "../shared/errors.ts";
import { readImageHeader } from "../shared/image-header.ts";
import type { Preprocessing } from "../shared/manifest.ts";

// libvips' own gate: of all it could read, only the formats of the contract, and only from memory. No SVG, no PDF.
sharp.block({ operation: ["VipsForeignLoad"] });
sharp.unblock({
  operation: ["Jpeg", "Png", "Webp", "Nsgif", "Heif", "Tiff"].map((name) => `VipsForeignLoad${name}Buffer`),
});
sharp.cache(false); // no photo comes twice, so a cache would only hold memory

/** Pixels as the encoder takes them, and what the image was. */
export interface DecodedImage {
  /** uint8 [height, width, 3], RGB, of the manifest's size. */
  pixels: Uint8Array;
  image: ImageInfo;
}

interface DecodeSettings {
  preprocessing: Preprocessing;
  maxPixels: number;
}

/**
 * Decodes a photo to the encoder's input: first frame, upright by its EXIF orientation, 8-bit sRGB, transparency on white,
 * squashed to the manifest's size. Format and size are read from the bytes before any pixel is.
 * Throws `unsupported_media_type`, `payload_too_large` and `invalid_image`.
 */
export async function decodeImage(
  bytes: Uint8Array,
  { preprocessing, maxPixels }: DecodeSettings,
): Promise<DecodedImage> {
  const { format, width, height } = readImageHeader(bytes);
  if (width * height > maxPixels) {
    throw new CaptionError(
      "payload_too_large",
      `expected an image of at most ${maxPixels} pixels, received ${width}×${height}`,
    );
  }
  const target = { width: preprocessing.width, height: preprocessing.height };
  try {
    const pixels = await sharp(bytes, { limitInputPixels: maxPixels, failOn: "error", pages: 1, sequentialRead: true })
      .autoOrient()
      .flatten({ background: "white" })
      .toColourspace("srgb")
      .resize({ ...target, fit: preprocessing.fit, kernel: preprocessing.kernel })
      .raw({ depth: "uchar" })
      .toBuffer();
    if (pixels.length !== target.width * target.height * 3) throw new Error(`${pixels.length} bytes of pixels`);
    return { pixels, image: { format, width, height, bytes: bytes.length } };
  } catch (cause) {
    throw new CaptionError("invalid_image", `the ${format} image cannot be decoded: it is damaged or cut short`, {
      cause,
    });
  }
}
