import sharp, { type SharpOptions } from "sharp";
import { HeaderBytes } from "../../shared/image-formats/header-bytes.ts";
import { colourSamplesOf, hasPlainExtras, maxTiffSamples } from "../../shared/image-formats/tiff-forms.ts";
import {
  endianOf,
  iccProfileTag,
  photometricTag,
  readTiffFields,
  readTiffSamples,
  type TiffSamples,
} from "../../shared/image-formats/tiff-samples.ts";

/** Larger than any encoder's input, and few enough pixels for JavaScript. */
export const maxPreparedSide = 1200;
/** A photometric interpretation that libvips does not know, so that it takes no channel for alpha. */
const unknownColours = 32803;
const longType = 4;

/**
 * Makes a plain TIFF of at most 1200 pixels a side from one with channels that are neither colour nor alpha, such as
 * Photoshop's selections and spot colours: its colours, upright, and its alpha if it has one. Returns other TIFFs unchanged.
 */
export async function withoutPlainExtras(bytes: Uint8Array, options: SharpOptions): Promise<Uint8Array> {
  const header = new HeaderBytes(bytes, "TIFF");
  const fields = readTiffFields(header);
  const samples = readTiffSamples(header, fields);
  const photometric = fields.get(photometricTag);
  if (!hasPlainExtras(samples) || photometric === undefined) return bytes;
  const copy = Uint8Array.from(bytes);
  const { littleEndian } = endianOf(header);
  const view = new DataView(copy.buffer);
  if (photometric.type === longType) view.setUint32(photometric.valuesAt, unknownColours, littleEndian);
  else view.setUint16(photometric.valuesAt, unknownColours, littleEndian);
  const { data, info } = await sharp(copy, { ...options, limitInputChannels: maxTiffSamples, ignoreIcc: true })
    .autoOrient()
    .resize({ width: maxPreparedSide, height: maxPreparedSide, fit: "inside", withoutEnlargement: true })
    .toColourspace("multiband")
    .raw({ depth: "ushort" })
    .toBuffer({ resolveWithObject: true });
  const kept = keptChannels(samples);
  const icc = fields.get(iccProfileTag);
  return plainTiff({
    width: info.width,
    height: info.height,
    samples: pickChannels(new Uint16Array(Uint8Array.from(data).buffer), { of: info.channels, kept }),
    channels: kept.length,
    hasAlpha: kept.length > colourSamplesOf(samples),
    bits: samples.bits[0] === 16 ? 16 : 8,
    photometric: samples.photometric ?? 0,
    icc: icc && header.slice(icc.valuesAt, icc.valuesAt + icc.count),
  });
}

/** The indices of the colours among a pixel's samples, and of the first alpha channel. libvips has undone premultiplication. */
function keptChannels(samples: TiffSamples): number[] {
  const colours = colourSamplesOf(samples);
  const alpha = samples.extraSamples?.findIndex((kind) => kind === 1 || kind === 2) ?? -1;
  const places = Array.from({ length: colours }, (_, place) => place);
  return alpha < 0 ? places : [...places, colours + alpha];
}

function pickChannels(samples: Uint16Array, { of, kept }: { of: number; kept: number[] }): Uint16Array {
  const picked = new Uint16Array((samples.length / of) * kept.length);
  for (let from = 0, to = 0; from < samples.length; from += of) {
    for (const place of kept) picked[to++] = samples[from + place] ?? 0;
  }
  return picked;
}

interface PlainTiff {
  width: number;
  height: number;
  /** uint16 [height, width, channels], of 8 bits if `bits` is 8. */
  samples: Uint16Array;
  channels: number;
  hasAlpha: boolean;
  bits: 8 | 16;
  photometric: number;
  icc: Uint8Array | undefined;
}

/** Writes a TIFF of one uncompressed strip. */
function plainTiff({ width, height, samples, channels, hasAlpha, bits, photometric, icc }: PlainTiff): Uint8Array {
  const strip = bits === 8 ? Uint8Array.from(samples) : new Uint8Array(samples.buffer);
  const bitsPerSample = new Uint8Array(new Uint16Array(channels).fill(bits).buffer);
  const [byte, short, long] = [1, 3, longType];
  const stripAt = 1024; // after the directory and the bits of each sample
  const iccAt = stripAt + strip.length;
  const bitsAt = 512;
  const isShortList = channels <= 2;
  const fields: [tag: number, type: number, count: number, value: number][] = [
    [256, long, 1, width],
    [257, long, 1, height],
    [258, short, channels, isShortList ? bits | (channels === 2 ? bits << 16 : 0) : bitsAt],
    [259, short, 1, 1],
    [photometricTag, short, 1, photometric],
    [273, long, 1, stripAt],
    [277, short, 1, channels],
    [278, long, 1, height],
    [279, long, 1, strip.length],
    [284, short, 1, 1],
    ...(hasAlpha ? [[338, short, 1, 2] satisfies [number, number, number, number]] : []),
    ...(icc ? [[iccProfileTag, byte, icc.length, iccAt] satisfies [number, number, number, number]] : []),
  ];
  const file = new Uint8Array(iccAt + (icc?.length ?? 0));
  const view = new DataView(file.buffer);
  file.set([0x49, 0x49, 42, 0, 8], 0);
  view.setUint16(8, fields.length, true);
  for (const [index, [tag, type, count, value]] of fields.entries()) {
    const at = 10 + index * 12;
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, type, true);
    view.setUint32(at + 4, count, true);
    view.setUint32(at + 8, value, true);
  }
  file.set(bitsPerSample, bitsAt);
  file.set(strip, stripAt);
  if (icc) file.set(icc, iccAt);
  return file;
}
