import { isCameraText } from "./description-writer.ts";

/** Of EXIF's text, as much as is looked at. */
const maxTextBytes = 2000;
const imageDescriptionTag = 0x010e;
const asciiType = 2;

/**
 * Whether a photo has a description inside itself, in XMP, IPTC or EXIF, which programs would no longer show once it has a
 * sidecar. Looks for the fields and not at the format, of which each keeps them elsewhere; what cameras write does not count.
 */
export function hasOwnDescription(bytes: Uint8Array): boolean {
  return [xmpDescription(bytes), iptcCaption(bytes), exifDescription(bytes)].some(
    (text) => text !== "" && !isCameraText(text),
  );
}

function xmpDescription(bytes: Uint8Array): string {
  const at = find(bytes, "dc:description");
  if (at < 0) return "";
  const text = textAt(bytes, at + "dc:description".length, 4 * maxTextBytes);
  const [, attribute] = /^\s*=\s*["']([^"']*)/.exec(text) ?? [];
  const [element = ""] = text.slice(text.indexOf(">") + 1).split("</dc:description", 1);
  return (attribute ?? element.replace(/<[^>]*>/g, "")).trim();
}

/** The caption is dataset 2:120 in the IPTC block, which is the Photoshop resource 0x0404. */
function iptcCaption(bytes: Uint8Array): string {
  const at = find(bytes, "8BIM\x04\x04");
  if (at < 0) return "";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let set = at + 12; set + 5 <= bytes.length && bytes[set] === 0x1c; ) {
    const length = view.getUint16(set + 3);
    if (bytes[set + 1] === 2 && bytes[set + 2] === 120) return textAt(bytes, set + 5, length);
    set += 5 + length;
  }
  return "";
}

/** Reads the first directory of the first TIFF structure, which is the EXIF block's or the file's. */
function exifDescription(bytes: Uint8Array): string {
  const starts = ["II*\0", "MM\0*"].map((magic) => find(bytes, magic)).filter((start) => start >= 0);
  if (starts.length === 0) return "";
  const start = Math.min(...starts);
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, bytes.byteLength - start);
  const isLittle = bytes[start] === 0x49;
  try {
    const directory = view.getUint32(4, isLittle);
    const count = view.getUint16(directory, isLittle);
    for (let index = 0; index < count; index++) {
      const entry = directory + 2 + 12 * index;
      if (view.getUint16(entry, isLittle) !== imageDescriptionTag) continue;
      if (view.getUint16(entry + 2, isLittle) !== asciiType) return "";
      const length = view.getUint32(entry + 4, isLittle);
      const at = length <= 4 ? entry + 8 : view.getUint32(entry + 8, isLittle);
      return textAt(bytes, start + at, Math.min(length, maxTextBytes));
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // a field beyond the file's end
  }
  return "";
}

function textAt(bytes: Uint8Array, at: number, length: number): string {
  return new TextDecoder()
    .decode(bytes.subarray(at, at + length))
    .replaceAll("\0", "")
    .trim();
}

/** Returns where a text begins in bytes, or -1. */
function find(bytes: Uint8Array, text: string): number {
  const wanted = Uint8Array.from(text, (character) => character.charCodeAt(0));
  const [first = 0] = wanted;
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (wanted.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}
