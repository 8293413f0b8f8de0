import type { HeaderBytes } from "./header-bytes.ts";

/** A range of a file's bytes, from `start` to before `end`. */
export interface Span {
  start: number;
  end: number;
}

/** A box of an ISO base media file (ISO/IEC 14496-12, section 4.2), with the range of its contents. */
export interface Box extends Span {
  type: string;
}

/** Walks the boxes of a span. */
export function* boxesOf(header: HeaderBytes, { start, end }: Span): Generator<Box> {
  for (let offset = start; offset < end; ) {
    const shortSize = header.uint(offset, 4);
    const type = header.text(offset + 4, 4);
    const isLong = shortSize === 1;
    const headerSize = isLong ? 16 : 8;
    const size = isLong ? header.uint(offset + 8, 8) : shortSize;
    const boxEnd = size === 0 ? end : offset + size; // 0: up to the end of the span
    if (offset + headerSize > boxEnd || boxEnd > end) {
      const expected = `boxes that fit the ${end - offset} bytes they lie in`;
      throw header.unexpected({ expected, received: `a box ${JSON.stringify(type)} of ${size} bytes` });
    }
    yield { type, start: offset + headerSize, end: boxEnd };
    offset = boxEnd;
  }
}

/** Finds the first box of a type. Throws `invalid_image` when there is none. */
export function findBox(header: HeaderBytes, { type, within }: { type: string; within: Span }): Box {
  for (const box of boxesOf(header, within)) {
    if (box.type === type) return box;
  }
  throw header.unexpected({ expected: `a box ${JSON.stringify(type)}`, received: "none" });
}

/** The major and compatible brands in a file's first bytes; none when it does not start with an `ftyp` box. */
export function brandsOf(magic: string): string[] {
  if (!magic.startsWith("ftyp", 4)) return [];
  const size = [...magic.slice(0, 4)].reduce((value, character) => value * 256 + character.charCodeAt(0), 0);
  const [major, , ...compatible] = magic.slice(8, size).match(/[\s\S]{4}/g) ?? []; // between them the version
  return major === undefined ? [] : [major, ...compatible];
}
