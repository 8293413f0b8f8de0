import { brandsOf } from "./iso-media.ts";

const heifBrands = ["heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "msf1"];

interface RefusedFormat {
  /** What the file is, and an easy remedy if there is one. */
  received: string;
  matches: (magic: string) => boolean;
}

/** Formats that people send and that are not supported. The first match counts. */
const refusedFormats: readonly RefusedFormat[] = [
  {
    received: "a HEIC or HEIF photo; phones and photo programs can share it as JPEG",
    matches: isHeic,
  },
  { received: "a video or another ISO media file", matches: (magic) => brandsOf(magic).length > 0 },
  { received: "an SVG drawing; export it as PNG", matches: isSvg },
  { received: "a PDF document; export its page as PNG or JPEG", matches: (magic) => magic.startsWith("%PDF-") },
  {
    received: "a JPEG XL image; convert it to JPEG",
    matches: (magic) => magic.startsWith("\xff\x0a") || magic.startsWith("\0\0\0\x0cJXL \r\n\x87\n"),
  },
  {
    received: "a JPEG 2000 image; convert it to JPEG",
    matches: (magic) => magic.startsWith("\xff\x4f\xff\x51") || magic.startsWith("\0\0\0\x0cjP  \r\n\x87\n"),
  },
  {
    received: "a BMP image; convert it to PNG",
    matches: (magic) => magic.startsWith("BM") && magic.startsWith("\0\0\0\0", 6), // reserved bytes
  },
  { received: "an icon (ICO); convert it to PNG", matches: (magic) => magic.startsWith("\0\0\x01\0") },
  { received: "a Photoshop document; export it as JPEG", matches: (magic) => magic.startsWith("8BPS") },
];

/** Whether a file has one of HEIF's brands; an AVIF file may have some of them, too. */
export function isHeic(magic: string): boolean {
  return brandsOf(magic).some((brand) => heifBrands.includes(brand));
}

/** Describes an unsupported file by its first bytes as Latin-1. */
export function describeRefused(magic: string): string {
  if (magic === "") return "an empty file";
  return refusedFormats.find(({ matches }) => matches(magic))?.received ?? "a file of another type";
}

/** Whether the root of markup, after a byte order mark, declarations and comments, is an svg element. */
function isSvg(magic: string): boolean {
  const text = magic.replace(/^\xef\xbb\xbf/, "").trimStart();
  return /^<(\?xml|!--|!doctype\s+svg|(\w+:)?svg)/i.test(text) && /<(\w+:)?svg[\s>]/i.test(text);
}
