const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** U+DC80 to U+DCFF stand for the bytes 0x80 to 0xFF, as in Python's `surrogateescape`: other text never has them alone. */
const escapedBase = 0xdc00;
const escapedByte = /[\uDC80-\uDCFF]/u;
const longestCharacter = 4;

/**
 * Turns a name on a disk into a string. Disks allow any bytes in names; those that are not UTF-8, such as Latin-1, become
 * lone surrogates, so that `toDiskPath` finds the file again.
 */
export function fromDiskPath(bytes: Uint8Array): string {
  return decode(bytes) ?? decodeInParts(bytes);
}

/** Turns a path into what the functions of `node:fs` find the file by. */
export function toDiskPath(path: string): string | Buffer {
  if (!escapedByte.test(path)) return path;
  const parts = Array.from(path, (character) =>
    escapedByte.test(character) ? Buffer.of(character.charCodeAt(0) - escapedBase) : Buffer.from(character),
  );
  return Buffer.concat(parts);
}

/** Turns a path into text for people and for tables: `\\xE4` stands for a byte that is not UTF-8. */
export function toPathText(path: string): string {
  const inHex = (character: string) => (character.charCodeAt(0) - escapedBase).toString(16).toUpperCase();
  return path.replace(new RegExp(escapedByte, "gu"), (character) => `\\x${inHex(character)}`);
}

/** Turns such a text back into a path. */
export function fromPathText(text: string): string {
  const toSurrogate = (_: string, hex: string) => String.fromCharCode(escapedBase + Number.parseInt(hex, 16));
  return text.replace(/\\x([89A-F][0-9A-F])/g, toSurrogate);
}

/** Whether each byte of the path's name on disk is part of a UTF-8 character. */
export function isUtf8Path(path: string): boolean {
  return !escapedByte.test(path);
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}

function decodeInParts(bytes: Uint8Array): string {
  let text = "";
  for (let start = 0; start < bytes.length; ) {
    const character = characterAt(bytes, start);
    text += character?.text ?? String.fromCharCode(escapedBase + (bytes[start] ?? 0));
    start += character?.length ?? 1;
  }
  return text;
}

/** Decodes the character at a place; undefined if the bytes are not UTF-8. */
function characterAt(bytes: Uint8Array, start: number): { text: string; length: number } | undefined {
  for (let length = 1; length <= longestCharacter && start + length <= bytes.length; length++) {
    const text = decode(bytes.subarray(start, start + length));
    if (text !== undefined) return { text, length };
  }
  return undefined;
}
