import iconv from "iconv-lite"; // Node's own decoder takes Windows-1252 for Latin-1

export type TextEncoding = "utf-8" | "utf-16le" | "utf-16be" | "windows-1252";

/** Returns the encoding that a byte order mark names; UTF-8 without one. */
export function encodingByMark(bytes: Uint8Array): Exclude<TextEncoding, "windows-1252"> {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
}

/**
 * Decodes a text file as editors and spreadsheets save it: UTF-8 or UTF-16 with a byte order mark, UTF-8 without one, or
 * Windows-1252. Throws a sentence for everything else, instead of guessing. `place` is the file's name in messages.
 */
export function decodeText(bytes: Uint8Array, { place }: { place: string }): { text: string; encoding: TextEncoding } {
  const encoding = encodingByMark(bytes);
  const text = decodeAs(bytes, encoding) ?? (encoding === "utf-8" ? decodeWestern(bytes) : undefined);
  if (text === undefined || text.value.includes("\0")) {
    throw new Error(
      `${place}: expected text in UTF-8, UTF-16 with a byte order mark or Windows-1252, found another encoding: save it as "CSV UTF-8"`,
    );
  }
  return { text: text.value, encoding: text.encoding };
}

interface Decoded {
  value: string;
  encoding: TextEncoding;
}

function decodeAs(bytes: Uint8Array, encoding: TextEncoding): Decoded | undefined {
  try {
    return { value: new TextDecoder(encoding, { fatal: true }).decode(bytes), encoding };
  } catch {
    return undefined;
  }
}

/** Characters of Western European texts. Text in other code pages has others when read as Windows-1252: `š` for Mac Roman's `ö`, `³` for Polish `ł`. */
const western =
  /^[\0-\x7F\xA0ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿœŒ€£§°²³½¼¾·×±«»“”‘’‚„–—…•¿¡ªº´©®™]*$/u;
/** Signs of another script: three accented letters in a row (Cyrillic, Greek, Hebrew, Arabic), or a capital or a sign after a small letter inside a word. */
const otherScript = /[À-ÖØ-öø-ÿœŒ]{3}|\p{Ll}[À-ÖØ-ÞŒ]\p{Ll}|\p{L}(?:[¿¡³²ªº£§±×™•–—…“«]\p{L}|[‚„])/u;

function decodeWestern(bytes: Uint8Array): Decoded | undefined {
  const value = iconv.decode(Buffer.from(bytes), "windows-1252");
  return western.test(value) && !otherScript.test(value) ? { value, encoding: "windows-1252" } : undefined;
}
