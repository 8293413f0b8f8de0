import { maxExifBytes, readCanonicalOrientation } from "./exif.ts";
import type { FileContent, HeaderBytes } from "./header-bytes.ts";
import { chunksOf, type PngChunk, pngSignature } from "./png.ts";

const metadataChunks = new Set(["tEXt", "zTXt", "iTXt", "eXIf", "tIME"]);

/**
 * Keeps all but texts, EXIF and the time of change, and what follows the last chunk. By default libpng drops EXIF with a
 * wrong checksum, and it stops reading pixels at a chunk between them.
 */
export function readPngContent(header: HeaderBytes): FileContent {
  const kept = [header.slice(0, pngSignature.length)];
  const exif: Uint8Array[] = [];
  let isAfterPixels = false;
  let before = "";
  for (const chunk of chunksOf(header)) {
    const { type, start, dataEnd } = chunk;
    const end = dataEnd + 4;
    if (end > header.length) throw header.unexpected({ expected: "whole chunks", received: `${type} cut short` });
    isAfterPixels ||= before === "IDAT" && type !== "IDAT";
    if ((type === "IHDR") !== (before === "") || (type === "IDAT" && isAfterPixels)) {
      throw header.unexpected({ expected: "IHDR first and the pixels together", received: `${type} elsewhere` });
    }
    if (type === "IEND") {
      header.spend(1); // its length, which the walk counts only as it continues
      return { kept: [...kept, header.slice(start, header.length)], exif };
    }
    if (type === "eXIf") exif.push(readExif(header, { ...chunk, isAfterPixels }));
    if (!metadataChunks.has(type)) kept.push(header.slice(start, end));
    before = type;
  }
  throw header.cutShort();
}

/** Reads EXIF. ImageMagick writes it after the pixels, where libpng ignores it: there only orientation 1 is accepted. */
function readExif(
  header: HeaderBytes,
  { dataAt, dataEnd, isAfterPixels }: PngChunk & { isAfterPixels: boolean },
): Uint8Array {
  const tiff = header.slice(dataAt, dataEnd);
  const isIntact = tiff.length <= maxExifBytes && header.uint(dataEnd, 4) === crc32(header.slice(dataAt - 4, dataEnd));
  if (!isIntact || (isAfterPixels && readCanonicalOrientation(tiff) !== 1)) {
    throw header.unexpected({ expected: "intact EXIF, before the pixels if it turns them", received: "other" });
  }
  return tiff;
}

/** Remainders of the bytes 0 to 255 by the polynomial of PNG's checksum, ISO 3309. */
const remainders = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? 0xedb88320 ^ (remainder >>> 1) : remainder >>> 1;
  return remainder;
});

/** PNG's checksum; Node has it in `node:zlib`, browsers do not. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (remainders[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}
