import fc from "fast-check";
import { expect, test } from "vitest";
import { CaptionError } from "../../shared/errors.ts";
import { imageFormats, readImageHeader } from "../../shared/image-header.ts";
import {
  animatedGif,
  madeImage,
  orientedJpeg,
  progressiveJpeg,
  rgbaPng,
  taggedImage,
} from "../fixtures/made-images.ts";

const seed = 20_080_611;
/** Far more than any of these takes on a busy machine. */
const maxMs = 1000;

const images = await Promise.all([
  ...imageFormats.map((format) => madeImage(format)),
  orientedJpeg(6),
  progressiveJpeg(),
  rgbaPng(),
  animatedGif(),
  ...(["png", "webp", "avif"] as const).map((format) => taggedImage(format, 6)),
]);

/** Checks that bytes give a header that the contract allows, or a `CaptionError` of the two codes, in little time. */
function expectAnswer(bytes: Uint8Array): void {
  const startMs = performance.now();
  try {
    const { width, height, orientation } = readImageHeader(bytes);
    expect([width, height].every((side) => Number.isSafeInteger(side) && side >= 1)).toBe(true);
    expect([1, 2, 3, 4, 5, 6, 7, 8]).toContain(orientation);
  } catch (error) {
    if (!(error instanceof CaptionError)) throw error;
    expect(["invalid_image", "unsupported_media_type"]).toContain(error.code);
  }
  expect(performance.now() - startMs).toBeLessThan(maxMs);
}

const image = fc.constantFrom(...images);
const hostileByte = fc.oneof(fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xfe, 0xff), fc.nat(255));
const changes = fc.array(fc.record({ place: fc.nat(700), byte: hostileByte }), { minLength: 1, maxLength: 8 });

test("answers for made images with bytes changed", () => {
  const property = fc.property(image, changes, (original, list) => {
    const bytes = original.slice();
    for (const { place, byte } of list) bytes[place % bytes.length] = byte;
    expectAnswer(bytes);
  });
  fc.assert(property, { seed, numRuns: 20_000 });
});

test("answers for made images cut short anywhere in their first kilobyte", () => {
  for (const original of images) {
    const longest = Math.min(original.length, 1024);
    for (let length = 0; length <= longest; length++) expectAnswer(original.subarray(0, length));
  }
});

test("answers for made images with bytes taken out or put in", () => {
  const splice = fc.record({ place: fc.nat(700), removed: fc.nat(40), added: fc.uint8Array({ maxLength: 40 }) });
  const property = fc.property(image, splice, (original, { place, removed, added }) => {
    expectAnswer(Buffer.concat([original.subarray(0, place), added, original.subarray(place + removed)]));
  });
  fc.assert(property, { seed, numRuns: 5_000 });
});

test("answers for any bytes behind the first bytes of each format", () => {
  const start = image.map((original) => original.subarray(0, 24));
  const property = fc.property(start, fc.uint8Array({ maxLength: 400 }), (magic, rest) => {
    expectAnswer(Buffer.concat([magic, rest]));
  });
  fc.assert(property, { seed, numRuns: 5_000 });
});

/** Upload-sized files that would keep a reader busy if it followed every field. */
const uploadBytes = 20 * 1024 * 1024;
const pngHead = "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0****";
const webpHead = `RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x08${"\0".repeat(9)}`;
const tooManyFields = "expected a header of at most 100000 fields";

test.each([
  ["JPEG fill bytes", { head: "\xff\xd8", repeated: "\xff" }, tooManyFields],
  ["JPEG restart markers", { head: "\xff\xd8", repeated: "\xff\xd0" }, tooManyFields],
  ["JPEG stuffed zeros", { head: "\xff\xd8", repeated: "\xff\0" }, tooManyFields],
  ["empty JPEG segments", { head: "\xff\xd8", repeated: "\xff\xe0\0\x02" }, tooManyFields],
  ["JPEG bytes that belong to no segment", { head: "\xff\xd8", repeated: "\0" }, "cut short"],
  ["empty PNG chunks", { head: pngHead, repeated: "\0\0\0\0tEXt****" }, tooManyFields],
  ["empty WebP chunks", { head: webpHead, repeated: "XXXX\0\0\0\0" }, tooManyFields],
  ["empty AVIF boxes", { head: "\0\0\0\x14ftypavif\0\0\0\0avif", repeated: "\0\0\0\x08free" }, tooManyFields],
  ["a BigTIFF directory", { head: `MM\0+\0\x08\0\0${"\0".repeat(7)}\x10`, repeated: "\x7f" }, tooManyFields],
])("answers soon for an upload full of %s", (_, { head, repeated }, message) => {
  const bytes = Buffer.alloc(uploadBytes);
  bytes.write(head, "latin1");
  bytes.fill(repeated, head.length, uploadBytes, "latin1");
  expectAnswer(bytes);
  expect(() => readImageHeader(bytes)).toThrow(message);
});
