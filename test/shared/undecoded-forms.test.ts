import { expect, test } from "vitest";
import { CaptionError } from "../../shared/errors.ts";
import { readImageFormat, readImageHeader } from "../../shared/image-header.ts";
import { madeImage, progressiveJpeg } from "../fixtures/made-images.ts";
import { madeTiff, rgbChannels } from "../fixtures/made-tiffs.ts";

const grey = [(across: number) => across] as const;
const five = [...grey, ...grey, ...grey, ...grey, ...grey];
const jpegStream = (frame: number) => Uint8Array.of(0xff, 0xd8, 0xff, 0xdb, 0, 3, 0, 0xff, frame, 0, 11, 8);

const compression = "compressed with LZW, Deflate, PackBits, CCITT, JPEG or WebP, or not at all";
const colours = "in RGB, greyscale, palette or CMYK colours";
const bits = "of 8 or 16 bits per channel";
const rawPhoto = "that is a camera's raw photo: export it as JPEG";
const picture = "that shows a picture";

const tiff = (
  fields: Record<number, number[] | undefined>,
  channels: Parameters<typeof madeTiff>[0]["channels"] = rgbChannels,
) => madeTiff({ channels, fields });

test.each([
  ["Zstandard", () => tiff({ 259: [50000] }), compression, "compressed with Zstandard"],
  ["JPEG 2000", () => tiff({ 259: [34712] }), compression, "compressed with JPEG 2000"],
  ["LZMA", () => tiff({ 259: [34925] }), compression, "compressed with LZMA"],
  ["old-style JPEG", () => tiff({ 259: [6], 262: [6] }), compression, "compressed with old-style JPEG"],
  ["an unknown method", () => tiff({ 259: [12345] }), compression, "compressed with a method of number 12345"],
  [
    "lossless JPEG",
    () => madeTiff({ channels: rgbChannels, fields: { 259: [7] }, data: jpegStream(0xc3) }),
    compression,
    "compressed with lossless or arithmetic JPEG",
  ],
  ["CIELAB", () => tiff({ 262: [8] }), colours, "in CIELAB colours"],
  ["ICC L*a*b*", () => tiff({ 262: [9] }), colours, "in ICC L*a*b* colours"],
  ["LogLuv", () => tiff({ 262: [32845] }), colours, "in LogLuv colours, of a high dynamic range"],
  ["a mask", () => tiff({ 262: [4] }, grey), colours, "that is a transparency mask"],
  ["plain YCbCr", () => tiff({ 262: [6], 530: [1, 1] }), colours, "in YCbCr colours without JPEG compression"],
  ["other inks", () => tiff({ 262: [5], 332: [2] }, five), colours, "in inks other than CMYK"],
  ["RGB of two channels", () => tiff({ 262: [2] }, [...grey, ...grey]), colours, "of 2 channels in place of 3"],
  [
    "palette and a mask",
    () => tiff({ 262: [3], 338: [0] }, [...grey, ...grey]),
    "of colours alone",
    "with extra channels",
  ],
  ["float", () => tiff({ 258: [32], 339: [3] }, grey), bits, "of 32-bit floating-point values"],
  ["half float", () => tiff({ 258: [16, 16, 16], 339: [3, 3, 3] }), bits, "of 16-bit floating-point values"],
  ["signed", () => tiff({ 258: [16], 339: [2] }, grey), bits, "of 16-bit signed values"],
  ["32 bits", () => tiff({ 258: [32] }, grey), bits, "of 32"],
  ["12 bits", () => tiff({ 258: [12, 12, 12] }), bits, "of 12"],
  ["RGB of 4 bits", () => tiff({ 258: [4, 4, 4] }), bits, "of 4"],
  ["unequal bits", () => tiff({ 258: [5, 6, 5] }), bits, "of 5, 6, 5 bits"],
  ["17 channels", () => tiff({ 277: [17] }), "of at most 16 channels", "of 17"],
  ["a colour filter array", () => tiff({ 262: [32803] }, grey), picture, rawPhoto],
  ["linear raw", () => tiff({ 262: [34892] }), picture, rawPhoto],
  ["a compression of Nikon's", () => tiff({ 259: [34713] }), picture, rawPhoto],
])("a TIFF that is not decoded is told what it is: %s", (_, make, expected, received) => {
  const bytes = make();
  const message = `expected a TIFF image ${expected}, received one ${received}`;
  expect(refusalOf(bytes)).toEqual({ code: "unsupported_media_type", message });
  expect(readImageFormat(bytes)).toBe("tiff");
});

test.each([
  ["BigTIFF, big-endian", { isBig: true, littleEndian: false }],
  ["BigTIFF", { isBig: true }],
  ["big-endian", { littleEndian: false }],
])("reads a TIFF's fields in any layout: %s", (_, layout) => {
  const refused = madeTiff({ channels: rgbChannels, ...layout, fields: { 258: [8, 8, 12] } });
  expect(refusalOf(refused).message).toContain("of 8, 8, 12 bits");
  const plain = madeTiff({ channels: rgbChannels, ...layout });
  expect(readImageHeader(plain)).toEqual({ format: "tiff", width: 60, height: 40, orientation: 1 });
});

test("a TIFF without a photometric interpretation is invalid", () => {
  expect(refusalOf(tiff({ 262: undefined }))).toMatchObject({
    code: "invalid_image",
    message: expect.stringContaining("tag 262"),
  });
});

test.each([
  ["12 bits", { bits: 12 }, "of 8 bits per channel, received one of 12"],
  ["lossless, 16 bits", { marker: 0xc3, bits: 16 }, "of 8 bits per channel, received one of 16"],
  [
    "hierarchical",
    { marker: 0xc5 },
    "of the baseline, progressive or lossless process, received one of a hierarchical or arithmetic lossless one",
  ],
  ["JPEG-LS", { marker: 0xf7 }, "of the baseline, progressive or lossless process, received one of JPEG-LS"],
])("a JPEG that is not decoded is told what it is: %s", async (_, { marker = 0xc2, bits = 8 }: Frame, part) => {
  const bytes = await progressiveJpeg();
  const frameAt = bytes.findIndex((byte, index) => byte === 0xff && bytes[index + 1] === 0xc2);
  bytes.set([0xff, marker], frameAt);
  bytes[frameAt + 4] = bits;
  expect(refusalOf(bytes)).toEqual({ code: "unsupported_media_type", message: `expected a JPEG image ${part}` });
});

test("an AVIF animation without a still picture is told what it is", async () => {
  const bytes = await madeImage("avif");
  bytes.set(Buffer.from("avis"), 8);
  expect(readImageHeader(bytes)).toMatchObject({ format: "avif", width: 60, height: 40 });
  bytes.set(Buffer.from("moov"), Buffer.from(bytes).indexOf("meta"));
  expect(refusalOf(bytes)).toEqual({
    code: "unsupported_media_type",
    message: "expected an AVIF image that holds a still picture, received one that is only an animation",
  });
});

interface Frame {
  marker?: number;
  bits?: number;
}

function refusalOf(bytes: Uint8Array): { code: string; message: string } {
  try {
    readImageHeader(bytes);
  } catch (error) {
    if (error instanceof CaptionError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("expected a refusal, received a header");
}
