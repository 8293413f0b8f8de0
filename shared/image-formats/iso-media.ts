import type { HeaderBytes } from "./header-bytes.ts";

/** Bytes of a file, from `start` up to and without `end`. */
export interface Span {
  start: number;
  end: number;
}

/** A box of an ISO base media file (ISO/IEC 14496-12, section 4.2) and where its contents stand. */
export interface Box extends Span {
  type: string;
}

/** The boxes that lie one after the other in a span. */
export function* boxesOf(header: HeaderBytes, { start, end }: Span): Generator<Box> {
  for (let offset = start; offset < end; ) {
    const shortSize = header.uint(offset, 4);
    const type = header.text(offset + 4, 4);
    const isLong = shortSize === 1;
    const headerSize = isLong ? 16 : 8;
    const size = isLong ? header.uint(offset + 8, 8) : shortSize;
    const boxEnd = size === 0 ? end : offset + size; // 0: up to the end of what holds it
    if (offset + headerSize > boxEnd || boxEnd > end) {
      const expected = `boxes that fit the ${end - offset} bytes they lie in`;
      throw header.unexpected({ expected, received: `a box ${JSON.stringify(type)} of ${size} bytes` });
    }
    yield { type, start: offset + headerSize, end: boxEnd };
    offset = boxEnd;
  }
}

/** The first box of a type; throws `invalid_image` when there is none. */
export function findBox(header: HeaderBytes, { type, within }: { type: string; within: Span }): Box {
  for (const box of boxesOf(header, within)) {
    if (box.type === type) return box;
  }
  throw header.unexpected({ expected: `a box ${JSON.stringify(type)}`, received: "none" });
}

/** Major and compatible brands by a file's first bytes; none when it does not start with an `ftyp` box. */
export function brandsOf(magic: string): string[] {
  if (!magic.startsWith("ftyp", 4)) return [];
  const size = [...magic.slice(0, 4)].reduce((value, character) => value * 256 + character.charCodeAt(0), 0);
  const [major, , ...compatible] = magic.slice(8, size).match(/[\s\S]{4}/g) ?? []; // between them the version
  return major === undefined ? [] : [major, ...compatible];
}
