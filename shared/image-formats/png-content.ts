import type { FileContent, HeaderBytes } from "./header-bytes.ts";
import { pngSignature } from "./png.ts";

const metadataChunks = new Set(["tEXt", "zTXt", "iTXt", "eXIf", "tIME"]);

/** Length, type and checksum around a chunk's data. */
const chunkFramingBytes = 12;

/** Keeps all but texts, EXIF and the time of change, and what stands behind the last chunk. */
export function readPngContent(header: HeaderBytes): FileContent {
  const kept = [header.slice(0, pngSignature.length)];
  const exif: Uint8Array[] = [];
  for (let start = pngSignature.length; ; ) {
    const dataBytes = header.uint(start, 4);
    const type = header.text(start + 4, 4);
    const end = start + chunkFramingBytes + dataBytes;
    if (end > header.length) throw header.unexpected({ expected: "whole chunks", received: `${type} cut short` });
    if (type === "eXIf") exif.push(header.slice(start + 8, end - 4));
    if (type === "IEND") return { kept: [...kept, header.slice(start, header.length)], exif };
    if (!metadataChunks.has(type)) kept.push(header.slice(start, end));
    start = end;
  }
}
