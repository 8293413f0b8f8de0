import type { HeaderBytes } from "./header-bytes.ts";
import { photometric as colours, findJpegFrame, readTiffSamples, type TiffSamples } from "./tiff-samples.ts";

/** The numbers of the compressions that the decoder supports. */
const decodedCompressions = new Set([1, 2, 3, 4, 5, 7, 8, 32766, 32771, 32773, 32809, 32946, 50001]);
const jpegCompression = 7;
/** Names of other compressions. */
const compressionNames = new Map([
  [6, "old-style JPEG"],
  [9, "JBIG"],
  [10, "JBIG"],
  [32908, "PixarFilm"],
  [32909, "PixarLog"],
  [33003, "JPEG 2000"],
  [33004, "JPEG 2000"],
  [33005, "JPEG 2000"],
  [34661, "JBIG"],
  [34676, "SGI Log"],
  [34677, "SGI Log"],
  [34712, "JPEG 2000"],
  [34715, "JBIG2"],
  [34887, "LERC"],
  [34892, "lossy DNG"],
  [34925, "LZMA"],
  [34926, "Zstandard"],
  [34927, "WebP of another number than 50001"],
  [34933, "PNG"],
  [34934, "JPEG XR"],
  [50000, "Zstandard"],
  [50002, "JPEG XL"],
  [52546, "JPEG XL"],
]);

/** The number of a pixel's samples that are its colour, by photometric interpretation. */
const colourCounts = new Map<number, number>([
  [colours.whiteIsZero, 1],
  [colours.blackIsZero, 1],
  [colours.rgb, 3],
  [colours.palette, 1],
  [colours.separated, 4],
  [colours.yCbCr, 3],
]);
const otherColours = new Map([
  [4, "that is a transparency mask"],
  [8, "in CIELAB colours"],
  [9, "in ICC L*a*b* colours"],
  [10, "in ITU L*a*b* colours"],
  [32844, "in LogL, of a high dynamic range"],
  [32845, "in LogLuv colours, of a high dynamic range"],
  [51177, "that is a depth map"],
]);

/** The most samples per pixel. */
export const maxTiffSamples = 16;
const huffmanFrames = [0xc0, 0xc1, 0xc2];

/** The number of a pixel's samples that are its colour; the others are extra. */
export function colourSamplesOf({ photometric }: TiffSamples): number {
  return colourCounts.get(photometric ?? -1) ?? 1;
}

/** Whether extra samples are something other than one alpha channel, like a selection or a spot colour. */
export function hasPlainExtras(samples: TiffSamples): boolean {
  const { samplesPerPixel, extraSamples } = samples;
  const extras = samplesPerPixel - colourSamplesOf(samples);
  return extras > 1 || (extras === 1 && extraSamples?.[0] === 0); // if unspecified, programs take one for alpha
}

/**
 * Refuses valid TIFFs in a form that the decoder does not read, or reads wrongly. Throws `unsupported_media_type`, which
 * names the form, and `invalid_image`.
 */
export function expectDecodedTiff(header: HeaderBytes): void {
  const samples = readTiffSamples(header);
  const refusal = describeCompression(header, samples) ?? describeColours(header, samples) ?? describeSamples(samples);
  if (refusal === undefined) return;
  if (samples.isCameraRaw) {
    throw header.unsupported({
      expected: "that shows a picture",
      received: "that is a camera's raw photo: export it as JPEG",
    });
  }
  throw header.unsupported(refusal);
}

type Refusal = { expected: string; received: string };

function describeCompression(header: HeaderBytes, { compression, dataAt }: TiffSamples): Refusal | undefined {
  const expected = "compressed with LZW, Deflate, PackBits, CCITT, JPEG or WebP, or not at all";
  if (!decodedCompressions.has(compression)) {
    const name = compressionNames.get(compression) ?? `a method of number ${compression}`;
    return { expected, received: `compressed with ${name}` };
  }
  if (compression !== jpegCompression || dataAt === undefined) return undefined;
  const marker = findJpegFrame(header, dataAt);
  const isOther = marker !== undefined && !huffmanFrames.includes(marker);
  return isOther ? { expected, received: "compressed with lossless or arithmetic JPEG" } : undefined;
}

function describeColours(header: HeaderBytes, samples: TiffSamples): Refusal | undefined {
  const { photometric, compression, samplesPerPixel, subsampling } = samples;
  const expected = "in RGB, greyscale, palette or CMYK colours";
  if (photometric === undefined) {
    throw header.unexpected({ expected: "a photometric interpretation (tag 262)", received: "a directory without it" });
  }
  const colourCount = colourCounts.get(photometric);
  if (colourCount === undefined) {
    return { expected, received: otherColours.get(photometric) ?? `of photometric interpretation ${photometric}` };
  }
  if (photometric === colours.separated && !samples.isCmyk) return { expected, received: "in inks other than CMYK" };
  if (samplesPerPixel < colourCount) {
    return { expected, received: `of ${samplesPerPixel} channels in place of ${colourCount}` };
  }
  const isExpanded = photometric === colours.palette || photometric === colours.yCbCr;
  if (isExpanded && hasPlainExtras(samples)) return { expected: "of colours alone", received: "with extra channels" };
  // the decoder would read these as RGB
  const isWhole =
    subsampling.every((factor) => factor === 1) || samples.isPlanar || samples.bits.some((bits) => bits !== 8);
  if (photometric === colours.yCbCr && compression !== jpegCompression && isWhole) {
    return { expected, received: "in YCbCr colours without JPEG compression" };
  }
  return undefined;
}

function describeSamples(samples: TiffSamples): Refusal | undefined {
  const { formats, samplesPerPixel, isPlanar, isTiled } = samples;
  const expected = "of 8 or 16 bits per channel";
  const allBits = samples.bits.slice(0, samplesPerPixel);
  const [bits = 1, ...otherBits] = allBits;
  const [format = 1] = formats;
  if (otherBits.some((other) => other !== bits)) return { expected, received: `of ${allBits.join(", ")} bits` };
  if (format === 3) return { expected, received: `of ${bits}-bit floating-point values` };
  if (format === 2) return { expected, received: `of ${bits}-bit signed values` };
  if (format > 4) return { expected, received: "of complex numbers" };
  const isPacked = [1, 2, 4].includes(bits) && (samplesPerPixel === 1 || samples.photometric === colours.palette);
  const isDecoded = bits === 8 || bits === 16 || isPacked;
  if (!isDecoded) return { expected, received: `of ${bits}` };
  const isOfAlpha = samples.photometric === colours.separated || samplesPerPixel - colourSamplesOf(samples) > 1;
  if (bits === 16 && isOfAlpha && samples.extraSamples?.includes(1)) {
    return { expected: "with plain alpha", received: "of 16 bits per channel multiplied by alpha" };
  }
  const channels = `of at most ${maxTiffSamples} channels`;
  if (samplesPerPixel > maxTiffSamples) return { expected: channels, received: `of ${samplesPerPixel}` };
  if (isPlanar && isTiled && samplesPerPixel > 1) {
    return { expected: "with a pixel's channels together", received: "in tiles of one channel each" };
  }
  return undefined;
}
