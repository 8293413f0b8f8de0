import type { HeaderBytes, ImageSize } from "./header-bytes.ts";
import { type Box, boxesOf, brandsOf, findBox, type Span } from "./iso-media.ts";

/** Whether a file has one of AVIF's brands. */
export function isAvif(magic: string): boolean {
  return brandsOf(magic).some((brand) => brand === "avif" || brand === "avis");
}

/**
 * The stored size of the primary item: `pitm` names it, `ipma` lists its properties, `ispe` is its size (ISO/IEC 23008-12).
 * Rotation and mirroring (`irot`, `imir`) are not EXIF: decoders always apply them and ignore an EXIF orientation, so the
 * orientation here is 1, and the decoded image may have width and height exchanged.
 */
export function readAvif(header: HeaderBytes): ImageSize {
  if (!hasStill(header)) {
    throw header.unsupported({ expected: "that holds a still picture", received: "that is only an animation" });
  }
  const meta = findBox(header, { type: "meta", within: { start: 0, end: header.length } });
  const itemsInMeta = { start: meta.start + fullBoxBytes, end: meta.end };
  const itemId = readPrimaryItemId(header, findBox(header, { type: "pitm", within: itemsInMeta }));
  const itemProperties = findBox(header, { type: "iprp", within: itemsInMeta });
  const size = findSizeProperty(header, { itemProperties, itemId });
  return {
    width: header.uint(size.start + fullBoxBytes, 4),
    height: header.uint(size.start + fullBoxBytes + 4, 4),
    orientation: 1,
  };
}

/** Whether the colours of an image are multiplied by its alpha, which an item reference (`iref`) of type `prem` states. */
export function isPremultiplied(header: HeaderBytes): boolean {
  const meta = findBox(header, { type: "meta", within: { start: 0, end: header.length } });
  for (const box of boxesOf(header, { start: meta.start + fullBoxBytes, end: meta.end })) {
    const references =
      box.type === "iref" ? [...boxesOf(header, { start: box.start + fullBoxBytes, end: box.end })] : [];
    if (references.some(({ type }) => type === "prem")) return true;
  }
  return false;
}

/** Whether there is a still picture; an animation (brand `avis`) may have one as well. */
function hasStill(header: HeaderBytes): boolean {
  const isAnimation = brandsOf(header.text(0, Math.min(header.length, header.uint(0, 4), maxBrandBytes))).includes(
    "avis",
  );
  const types = isAnimation ? [...boxesOf(header, { start: 0, end: header.length })].map(({ type }) => type) : ["meta"];
  return types.includes("meta") || !types.includes("moov");
}

const maxBrandBytes = 1024;

/** Bytes of version and flags, at the start of `meta`, `pitm`, `ipma` and `ispe`. */
const fullBoxBytes = 4;

function readPrimaryItemId(header: HeaderBytes, { start }: Box): number {
  const isShort = header.uint(start, 1) === 0;
  return header.uint(start + fullBoxBytes, isShort ? 2 : 4);
}

function findSizeProperty(
  header: HeaderBytes,
  { itemProperties, itemId }: { itemProperties: Span; itemId: number },
): Box {
  const properties = [...boxesOf(header, findBox(header, { type: "ipco", within: itemProperties }))];
  for (const box of boxesOf(header, itemProperties)) {
    if (box.type !== "ipma") continue;
    for (const index of associatedProperties(header, { box, itemId })) {
      const property = properties[index - 1]; // 0 means none
      if (property?.type === "ispe") return property;
    }
  }
  throw header.unexpected({ expected: "a size of the primary item", received: "none" });
}

/** Indices of an item's properties, from 1, in an `ipma` box, which lists them for every item. */
function* associatedProperties(header: HeaderBytes, { box, itemId }: { box: Box; itemId: number }): Generator<number> {
  const idSize = header.uint(box.start, 1) === 0 ? 2 : 4;
  const indexSize = header.uint(box.start + 1, 3) & 1 ? 2 : 1;
  const indexMask = indexSize === 2 ? 0x7fff : 0x7f; // the highest bit says whether the property is essential
  const entries = header.uint(box.start + fullBoxBytes, 4);
  let offset = box.start + fullBoxBytes + 4;
  for (let entry = 0; entry < entries; entry++) {
    const isItem = header.uint(offset, idSize) === itemId;
    const count = header.uint(offset + idSize, 1);
    offset += idSize + 1;
    for (let place = 0; isItem && place < count; place++) {
      yield header.uint(offset + place * indexSize, indexSize) & indexMask;
    }
    offset += count * indexSize;
  }
}
