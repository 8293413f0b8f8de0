import sharp, { type Sharp } from "sharp";
import type { ImageInfo } from "../../shared/contract.ts";
import { CaptionError } from "../../shared/errors.ts";
import { expectFewPixels, type ImageHeader, type PixelLimits, readImageHeader } from "../../shared/image-header.ts";
import type { Preprocessing } from "../../shared/manifest.ts";
import { expectModestEffort } from "./decoding-effort.ts";
import { type FailOn, openFrame } from "./open-photo.ts";
import { decodeUnendedJpeg } from "./unended-jpeg.ts";

/** The encoder's input, and what the image was. */
export interface DecodedImage {
  /** uint8 [height, width, 3], RGB, of the manifest's size. */
  pixels: Uint8Array;
  image: ImageInfo;
}

export interface DecodeSettings extends PixelLimits {
  preprocessing: Preprocessing;
  /** Whether HEIC photos are decoded, too. */
  allowHeic?: boolean;
}

/** A photo with its header, which is within the limits. */
export interface ValidatedPhoto {
  bytes: Uint8Array;
  header: ImageHeader;
}

/**
 * Decodes a photo to the encoder's input: first frame, upright by its EXIF orientation, 8-bit sRGB, transparency on white,
 * squashed to the manifest's size, through the form of the photos that the encoder learnt from. Throws
 * `unsupported_media_type`, `payload_too_large` and `invalid_image`.
 */
export async function decodeImage(bytes: Uint8Array, settings: DecodeSettings): Promise<DecodedImage> {
  return decodeValidated(validatePhoto(bytes, settings), settings);
}

/** Reads a photo's header and checks it against the limits; pixels are not read. Throws as `decodeImage` does. */
export function validatePhoto(
  bytes: Uint8Array,
  { allowHeic = false, ...limits }: Omit<DecodeSettings, "preprocessing">,
): ValidatedPhoto {
  const header = readImageHeader(bytes, { allowHeic });
  expectFewPixels(header, limits);
  return { bytes, header };
}

/** Decodes a photo after `validatePhoto`. Throws `invalid_image`. */
export async function decodeValidated(
  { bytes, header }: ValidatedPhoto,
  { preprocessing, maxPixels }: Pick<DecodeSettings, "preprocessing" | "maxPixels">,
): Promise<DecodedImage> {
  const { format, width, height } = header;
  expectModestEffort(bytes, format);
  const { through } = preprocessing;
  const isLarger = through !== undefined && (width > through.width || height > through.height);
  const decode = async (file: Uint8Array, failOn: FailOn = "error") => {
    const photo = await openFrame(file, { header, maxPixels, failOn });
    return rawPixels(isLarger ? await bringTo(through, photo) : photo, preprocessing);
  };
  try {
    const pixels = await decode(bytes).catch(async (cause) => {
      const unended =
        format === "jpeg" ? await decodeUnendedJpeg(bytes, { width, height, maxPixels, decode }) : undefined;
      if (unended === undefined) throw cause;
      return unended;
    });
    return { pixels, image: { format, width, height, bytes: bytes.length } };
  } catch (cause) {
    throw new CaptionError("invalid_image", `the ${format} image cannot be decoded: it is damaged or cut short`, {
      cause,
    });
  }
}

async function bringTo(form: NonNullable<Preprocessing["through"]>, photo: Sharp): Promise<Sharp> {
  const { width, height, kernel, jpegQuality } = form;
  const squashed = photo.resize({ width, height, kernel, fit: "fill" });
  if (jpegQuality !== undefined) {
    const jpeg = squashed.jpeg({ quality: jpegQuality, optimiseCoding: false }); // the same pixels in less time
    return sharp(await jpeg.toBuffer());
  }
  return sharp(await squashed.raw({ depth: "uchar" }).toBuffer(), { raw: { width, height, channels: 3 } });
}

/** uint8 [height, width, 3], of the manifest's size. */
async function rawPixels(photo: Sharp, { width, height, fit, kernel }: Preprocessing): Promise<Uint8Array> {
  const pixels = await photo.resize({ width, height, fit, kernel }).raw({ depth: "uchar" }).toBuffer();
  if (pixels.length !== width * height * 3) throw new Error(`${pixels.length} bytes of pixels`);
  return pixels;
}
