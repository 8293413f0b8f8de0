import { once } from "node:events";
import { Worker } from "node:worker_threads";
import sharp, { type Sharp, type SharpOptions } from "sharp";
import { isPremultiplied } from "../../shared/image-formats/avif.ts";
import { HeaderBytes } from "../../shared/image-formats/header-bytes.ts";
import { readPngExponent } from "../../shared/image-formats/png.ts";
import { type ImageFormat, type ImageHeader, readImageHeader } from "../../shared/image-header.ts";
import { joinBytes } from "../../shared/join-bytes.ts";
import { maxPreparedSide, withoutPlainExtras } from "./colour-samples.ts";
import { withEndMarker } from "./unended-jpeg.ts";

// libvips may load only the formats of the contract, and only from memory. No SVG, no PDF.
sharp.block({ operation: ["VipsForeignLoad"] });
sharp.unblock({
  operation: ["Jpeg", "Png", "Webp", "Nsgif", "Heif", "Tiff"].map((name) => `VipsForeignLoad${name}Buffer`),
});
sharp.cache(false); // no photo comes twice, so a cache would only hold memory

/** Photos of at most so many pixels are decoded whole, which is a tenth faster than in strips. */
const wholePixels = 1_000_000;

/** How bad damage must be for sharp to refuse a file. */
export type FailOn = "error" | "warning";

/**
 * A photo's first frame, upright, opaque, 8-bit sRGB. Damage shows when its pixels are read; a JPEG may lack its end.
 */
export function openPhoto(bytes: Uint8Array, { maxPixels }: { maxPixels: number }): Promise<Sharp> {
  const header = readImageHeader(bytes, { allowHeic: true });
  return openFrame(header.format === "jpeg" ? withEndMarker(bytes) : bytes, { header, maxPixels });
}

/** The same for a file whose header is known, and which is complete. */
export async function openFrame(
  bytes: Uint8Array,
  { header, maxPixels, failOn = "error" }: { header: ImageHeader; maxPixels: number; failOn?: FailOn },
): Promise<Sharp> {
  const { format, width, height } = header;
  const options = { limitInputPixels: maxPixels, failOn, pages: 1, sequentialRead: width * height > wholePixels };
  const photo = format === "heic" ? await openHeic(bytes) : await openWithLibvips(bytes, { format, options });
  return photo.flatten({ background: "white" }).toColourspace("srgb");
}

/** A photo of a format that libvips reads, upright, in the right colours; its alpha is kept. */
async function openWithLibvips(
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

/** Raises values to a power, of which sharp takes 1/3 to 3. */
function applyGamma(photo: Sharp, exponent: number): Sharp {
  return exponent < 1 ? photo.gamma(1, Math.min(3, 1 / exponent)) : photo.gamma(Math.min(3, exponent), 1);
}

/** Decodes a photo with its alpha, and smaller if it is large: sharp would otherwise flatten it first. */
async function prepared(photo: Sharp, { premultiplied = false } = {}): Promise<Sharp> {
  const { data, info } = await photo
    .resize({ width: maxPreparedSide, height: maxPreparedSide, fit: "inside", withoutEnlargement: true })
    .toColourspace("srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  return sharp(data, { raw: { ...info, premultiplied: premultiplied && info.channels === 4 } });
}

/** Conversions of files that libvips reads wrongly or not at all into a form that it reads. */
const preparations: Partial<
  Record<ImageFormat, (bytes: Uint8Array, options: SharpOptions) => Uint8Array | Promise<Uint8Array>>
> = {
  avif: asStillAvif,
  gif: firstFrameOf,
  tiff: withoutPlainExtras,
};

/** Renames an AVIF animation, which libvips refuses, to the still picture that it also is. */
function asStillAvif(bytes: Uint8Array): Uint8Array {
  const still = Uint8Array.from(bytes);
  still.set(new TextEncoder().encode("avif"), 8);
  return still;
}

const gifExtension = 0x21;
const gifImageDescriptor = 0x2c;
/** Bytes before the global colour table. */
const gifHeaderBytes = 13;
const gifDescriptorBytes = 10;

/** A GIF frame of one transparent pixel, and the end of the file. */
const transparentFrame = Uint8Array.of(
  ...[0x21, 0xf9, 4, 1, 0, 0, 0, 0],
  ...[0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 0],
  ...[2, 2, 0x44, 1, 0],
  0x3b,
);

/**
 * Cuts a GIF down to its first frame, so that no later one counts, and appends a transparent one: libvips shows black where
 * the first frame leaves the canvas uncovered, unless some frame is transparent. A file that ends within its first frame is
 * returned unchanged.
 */
function firstFrameOf(bytes: Uint8Array): Uint8Array {
  let at = gifHeaderBytes + colourTableBytes(bytes[10] ?? 0);
  while (bytes[at] === gifExtension) at = endOfBlocks(bytes, at + 2);
  if (bytes[at] !== gifImageDescriptor) return bytes;
  const dataAt = at + gifDescriptorBytes + colourTableBytes(bytes[at + 9] ?? 0) + 1;
  const end = endOfBlocks(bytes, dataAt);
  return end > bytes.length ? bytes : joinBytes([bytes.subarray(0, end), transparentFrame]);
}

/** The size of a global or local colour table, by the flags that announce it. */
function colourTableBytes(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}

/** Offset after a row of sub-blocks (a length and that many bytes each), which an empty one ends; beyond the file if none does. */
function endOfBlocks(bytes: Uint8Array, start: number): number {
  let at = start;
  for (let length = bytes[at]; length !== 0; length = bytes[at]) {
    if (length === undefined) return bytes.length + 1;
    at += 1 + length;
  }
  return at + 1;
}

/** Pixels from libheif, upright. */
interface HeicImage {
  /** uint8 [height, width, 4], RGBA. */
  pixels: Uint8Array<ArrayBuffer>;
  width: number;
  height: number;
}

/**
 * Decodes the primary image of a HEIC or HEIF file, through libheif compiled to WebAssembly; an EXIF orientation beside it
 * does not count. Each photo has a thread of its own: a phone's photo blocks it for a second, and WebAssembly frees its memory
 * only with its thread.
 */
async function openHeic(bytes: Uint8Array): Promise<Sharp> {
  const worker = new Worker(new URL("./heic-worker.js", import.meta.url), {
    workerData: bytes,
    execArgv: [], // the worker is JavaScript: it needs no loader of TypeScript
    stdout: true, // libheif prints warnings
    stderr: true,
  });
  try {
    const [{ pixels, width, height }] = (await once(worker, "message")) as [HeicImage]; // the worker's only message
    return sharp(pixels, { raw: { width, height, channels: 4 } });
  } finally {
    await worker.terminate();
  }
}
