import sharp, { type Sharp, type SharpOptions } from "sharp";
import { isPremultiplied } from "../../shared/image-formats/avif.ts";
import { HeaderBytes } from "../../shared/image-formats/header-bytes.ts";
import { readPngExponent } from "../../shared/image-formats/png.ts";
import type { ImageFormat } from "../../shared/image-header.ts";
import { maxPreparedSide, withoutPlainExtras } from "./colour-samples.ts";
import { firstFrameOf } from "./first-frame.ts";

/** A photo of a format that libvips reads, upright, in the colours it is meant to have; alpha is left in it. */
export async function openUsual(
  bytes: Uint8Array,
  { format, options }: { format: ImageFormat; options: SharpOptions },
): Promise<Sharp> {
  const prepare = preparations[format];
  const photo = sharp(prepare === undefined ? bytes : await prepare(bytes, options), options).autoOrient();
  const exponent = format === "png" ? readPngExponent(new HeaderBytes(bytes, "PNG")) : 1;
  if (exponent !== 1) return prepared(applyGamma(photo, exponent));
  const premultiplied = format === "avif" && isPremultiplied(new HeaderBytes(bytes, "AVIF"));
  return premultiplied ? prepared(photo, { premultiplied }) : photo;
}

/** sharp takes values to a power of 1/3 to 3. */
function applyGamma(photo: Sharp, exponent: number): Sharp {
  return exponent < 1 ? photo.gamma(1, Math.min(3, 1 / exponent)) : photo.gamma(Math.min(3, exponent), 1);
}

/** The photo with its alpha, smaller than it was where it was large: sharp would put it on white before all else. */
async function prepared(photo: Sharp, { premultiplied = false } = {}): Promise<Sharp> {
  const { data, info } = await photo
    .resize({ width: maxPreparedSide, height: maxPreparedSide, fit: "inside", withoutEnlargement: true })
    .toColourspace("srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  return sharp(data, { raw: { ...info, premultiplied: premultiplied && info.channels === 4 } });
}

/** What libvips would read wrongly or not at all is brought to a form that it reads. */
const preparations: Partial<
  Record<ImageFormat, (bytes: Uint8Array, options: SharpOptions) => Uint8Array | Promise<Uint8Array>>
> = {
  avif: asStillAvif,
  gif: firstFrameOf,
  tiff: withoutPlainExtras,
};

/** libvips knows no animations; the still picture beside one is the same by another name. */
function asStillAvif(bytes: Uint8Array): Uint8Array {
  const still = Uint8Array.from(bytes);
  still.set(new TextEncoder().encode("avif"), 8);
  return still;
}
