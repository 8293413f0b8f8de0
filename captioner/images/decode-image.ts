import sharp, { type Sharp } from "sharp";
import type { ImageInfo } from "../../shared/contract.ts";
import { CaptionError } from "../../shared/errors.ts";
import { expectFewPixels, type PixelLimits, readImageHeader } from "../../shared/image-header.ts";
import type { Preprocessing } from "../../shared/manifest.ts";
import { decodeHeic } from "./decode-heic.ts";
import { expectModestEffort } from "./decoding-effort.ts";
import { openUsual } from "./open-usual.ts";
import { decodeUnendedJpeg, withEndMarker } from "./unended-jpeg.ts";

// libvips' own gate: of all it could read, only the formats of the contract, and only from memory. No SVG, no PDF.
sharp.block({ operation: ["VipsForeignLoad"] });
sharp.unblock({
  operation: ["Jpeg", "Png", "Webp", "Nsgif", "Heif", "Tiff"].map((name) => `VipsForeignLoad${name}Buffer`),
});
sharp.cache(false); // no photo comes twice, so a cache would only hold memory

/** Up to so many pixels a photo is decoded whole: a tenth faster than by strips. */
const wholePixels = 1_000_000;

/** Pixels as the encoder takes them, and what the image was. */
export interface DecodedImage {
  /** uint8 [height, width, 3], RGB, of the manifest's size. */
  pixels: Uint8Array;
  image: ImageInfo;
}

export interface DecodeSettings extends PixelLimits {
  preprocessing: Preprocessing;
  /** Takes HEIC photos, too. */
  allowHeic?: boolean;
}

/**
 * Decodes a photo to the encoder's input: first frame, upright by its EXIF orientation, 8-bit sRGB, transparency on white,
 * squashed to the manifest's size, by way of the form that the encoder learnt from. Format and size are read from the bytes before any pixel is.
 * Throws `unsupported_media_type`, `payload_too_large` and `invalid_image`.
 */
export async function decodeImage(
  bytes: Uint8Array,
  { preprocessing, allowHeic = false, ...limits }: DecodeSettings,
): Promise<DecodedImage> {
  const header = readImageHeader(bytes, { allowHeic });
  expectFewPixels(header, limits);
  const { format, width, height } = header;
  const { maxPixels } = limits;
  expectModestEffort(bytes, format);
  const { through } = preprocessing;
  const isLarger = through !== undefined && (width > through.width || height > through.height);
  const decode = async (file: Uint8Array, failOn: FailOn = "error") => {
    const photo = await openExactly(file, { maxPixels, failOn });
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

/**
 * A photo's first frame, upright, opaque, 8-bit sRGB. Damage shows when its pixels are asked for; what is missing at the end
 * of a JPEG does not.
 */
export function openPhoto(bytes: Uint8Array, limits: Pick<DecodeSettings, "maxPixels">): Promise<Sharp> {
  const { format } = readImageHeader(bytes, { allowHeic: true });
  return openExactly(format === "jpeg" ? withEndMarker(bytes) : bytes, limits);
}

type FailOn = "error" | "warning";

async function openExactly(
  bytes: Uint8Array,
  { maxPixels, failOn = "error" }: Pick<DecodeSettings, "maxPixels"> & { failOn?: FailOn },
): Promise<Sharp> {
  const { format, width, height } = readImageHeader(bytes, { allowHeic: true });
  const options = { limitInputPixels: maxPixels, failOn, pages: 1, sequentialRead: width * height > wholePixels };
  const photo = format === "heic" ? await openHeic(bytes) : await openUsual(bytes, { format, options });
  return photo.flatten({ background: "white" }).toColourspace("srgb");
}

/** Upright already; an EXIF orientation beside it does not count. */
async function openHeic(bytes: Uint8Array): Promise<Sharp> {
  const { pixels, width, height } = await decodeHeic(bytes);
  return sharp(pixels, { raw: { width, height, channels: 4 } });
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
