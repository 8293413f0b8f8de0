import type { HeaderBytes } from "./header-bytes.ts";
import { hasNoLength, isFrameHeader, startOfImage } from "./jpeg.ts";
import { bigLayout, classicLayout, wholeNumberSizes } from "./tiff.ts";

export const photometricTag = 262;
export const iccProfileTag = 34675;

/** Values of the photometric interpretation (TIFF 6.0 and its supplements). */
export const photometric = { whiteIsZero: 0, blackIsZero: 1, rgb: 2, palette: 3, separated: 5, yCbCr: 6 } as const;

/** A field of a TIFF directory. */
export interface TiffField {
  type: number;
  count: number;
  /** Offset of its values in the file. */
  valuesAt: number;
}

/** How the samples of a TIFF's first page are stored: fields of TIFF 6.0, with its defaults. */
export interface TiffSamples {
  photometric: number | undefined;
  compression: number;
  bits: number[];
  /** 1 is unsigned, 2 signed, 3 floating point, 4 undefined. */
  formats: number[];
  samplesPerPixel: number;
  /** The kind of each extra sample: 0 is no alpha, 1 premultiplied alpha, 2 alpha. Undefined if unspecified. */
  extraSamples: number[] | undefined;
  /** Whether separated colours are CMYK, which is the default. */
  isCmyk: boolean;
  isPlanar: boolean;
  isTiled: boolean;
  /** Horizontal and vertical subsampling of the chroma of YCbCr. */
  subsampling: number[];
  /** Offset of the first strip or tile. */
  dataAt: number | undefined;
  isCameraRaw: boolean;
}

/** The most values of a field that are read. */
const maxValues = 64;

/** Reads the fields of a TIFF's first directory, by tag; of two with the same tag, the first. */
export function readTiffFields(header: HeaderBytes): Map<number, TiffField> {
  const endian = endianOf(header);
  const layout = header.uint(2, 2, endian) === 43 ? bigLayout : classicLayout;
  const directoryAt = header.uint(layout.firstOffsetAt, layout.offsetSize, endian);
  const entries = header.uint(directoryAt, layout.countSize, endian);
  const fields = new Map<number, TiffField>();
  for (let index = 0; index < entries; index++) {
    const entryAt = directoryAt + layout.countSize + index * layout.entrySize;
    const tag = header.uint(entryAt, 2, endian);
    const type = header.uint(entryAt + 2, 2, endian);
    const count = header.uint(entryAt + 4, layout.offsetSize, endian);
    const valueAt = entryAt + 4 + layout.offsetSize;
    const isInline = count * (wholeNumberSizes.get(type) ?? 1) <= layout.offsetSize;
    const valuesAt = isInline ? valueAt : header.uint(valueAt, layout.offsetSize, endian);
    if (!fields.has(tag)) fields.set(tag, { type, count, valuesAt });
  }
  return fields;
}

/** Reads how the first page's samples are stored. Throws `invalid_image` if the file is cut short. */
export function readTiffSamples(header: HeaderBytes, fields = readTiffFields(header)): TiffSamples {
  const numbers = (tag: number) => readNumbers(header, fields.get(tag));
  const number = (tag: number) => numbers(tag)?.[0];
  const compression = number(259) ?? 1;
  const photometric = number(photometricTag);
  return {
    photometric,
    compression,
    bits: numbers(258) ?? [1],
    formats: numbers(339) ?? [1],
    samplesPerPixel: number(277) ?? 1,
    extraSamples: numbers(338),
    isCmyk: (number(332) ?? 1) === 1,
    isPlanar: number(284) === 2,
    isTiled: fields.has(322),
    subsampling: numbers(530) ?? [2, 2],
    dataAt: number(fields.has(324) ? 324 : 273),
    isCameraRaw: isCameraRaw(header, { fields, photometric, compression }),
  };
}

/** The marker of the first frame header in a JPEG stream inside a TIFF; undefined if there is none. */
export function findJpegFrame(header: HeaderBytes, start: number): number | undefined {
  if (header.uint(start, 1) !== 0xff || header.uint(start + 1, 1) !== startOfImage) return undefined;
  for (let at = start + 2; header.uint(at, 1) === 0xff; ) {
    const marker = header.uint(at + 1, 1);
    if (isFrameHeader(marker)) return marker;
    at += hasNoLength(marker) ? 2 : 2 + header.uint(at + 2, 2);
  }
  return undefined;
}

/** The byte order of a TIFF. */
export function endianOf(header: HeaderBytes): { littleEndian: boolean } {
  return { littleEndian: header.text(0, 1) === "I" };
}

function readNumbers(header: HeaderBytes, field: TiffField | undefined): number[] | undefined {
  const size = field && wholeNumberSizes.get(field.type);
  if (field === undefined || size === undefined || field.count === 0) return undefined;
  const endian = endianOf(header);
  return Array.from({ length: Math.min(field.count, maxValues) }, (_, index) =>
    header.uint(field.valuesAt + index * size, size, endian),
  );
}

const dngVersionTag = 50706;
/** Photometric interpretations of a colour filter array, and of a demosaiced DNG. */
const rawPhotometrics = [32803, 34892];
/** Compressions of Sony, packed raw, Samsung, Nikon, lossy DNG, Kodak and Pentax. */
const rawCompressions = [32767, 32769, 32770, 34713, 34892, 65000, 65535];

function isCameraRaw(
  header: HeaderBytes,
  found: { fields: Map<number, TiffField>; photometric: number | undefined; compression: number },
): boolean {
  const isCanons = header.length > 10 && header.text(8, 2) === "CR";
  const isRaw = found.photometric !== undefined && rawPhotometrics.includes(found.photometric);
  return isCanons || isRaw || rawCompressions.includes(found.compression) || found.fields.has(dngVersionTag);
}
