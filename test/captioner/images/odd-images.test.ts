import { crc32 } from "node:zlib";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { decodeImage } from "../../../captioner/images/decode-image.ts";
import { openPhoto } from "../../../captioner/images/open-photo.ts";
import type { Preprocessing } from "../../../shared/manifest.ts";
import { greyscaleJpeg, madeImage, progressiveJpeg } from "../../fixtures/made-images.ts";
import { madeTiff, rgbChannels } from "../../fixtures/made-tiffs.ts";

const preprocessing: Preprocessing = {
  width: 60,
  height: 40,
  fit: "fill",
  kernel: "linear",
  divisor: 127.5,
  offset: -1,
};
const maxPixels = 1e6;
const damaged = { code: "invalid_image", message: expect.stringContaining("damaged or cut short") };

async function decode(bytes: Uint8Array): Promise<Uint8Array> {
  return (await decodeImage(bytes, { preprocessing, maxPixels })).pixels;
}

function meanDifference(one: Uint8Array, other: Uint8Array): number {
  expect(one).toHaveLength(other.length);
  return one.reduce((sum, value, index) => sum + Math.abs(value - (other[index] ?? Number.NaN)), 0) / one.length;
}

describe("a TIFF's channels that are no alpha", () => {
  const selection = (across: number) => (across < 0.5 ? 1 : 0);
  const grey = [(across: number) => across] as const;
  const inks = [() => 0, (across: number) => across, (_: number, down: number) => down, () => 0.2] as const;
  const plain = { rgb: rgbChannels, grey, inks };
  const photometric = { rgb: 2, grey: 1, inks: 5 };

  test.each([
    ["a selection beside RGB", "rgb", [0], {}],
    ["a selection beside RGB of 16 bits", "rgb", [0], { bits: 16 }],
    ["a selection beside RGB, each channel apart", "rgb", [0], { isPlanar: true }],
    ["a selection beside RGB, big-endian", "rgb", [0], { bits: 16, littleEndian: false }],
    ["a selection beside RGB, BigTIFF", "rgb", [0], { isBig: true }],
    ["two selections beside RGB", "rgb", [0, 0], {}],
    ["two channels beside RGB of which nothing is said", "rgb", undefined, { extras: 2 }],
    ["five selections beside RGB", "rgb", [0, 0, 0, 0, 0], {}],
    ["a channel beside grey", "grey", [0], {}],
    ["three channels beside grey", "grey", [0, 0, 0], {}],
    ["a spot colour beside CMYK", "inks", [0], {}],
    ["two spot colours beside CMYK of 16 bits", "inks", [0, 0], { bits: 16 }],
  ] as const)("count for nothing: %s", async (_, colours, extraSamples, { extras = 0, ...form }: Form) => {
    const count = extraSamples?.length ?? extras;
    const channels = [...plain[colours], ...Array.from({ length: count }, () => selection)];
    const described = { photometric: photometric[colours], ...form };
    const bytes = madeTiff({ channels, ...(extraSamples && { extraSamples }), ...described });
    const without = madeTiff({ channels: plain[colours], ...described });
    expect(meanDifference(await decode(bytes), await decode(without))).toBeLessThan(0.6);
  });

  test.each([
    ["alpha alone", [2]],
    ["alpha of which nothing is said", undefined],
    ["alpha before a selection", [2, 0]],
    ["alpha behind a selection", [0, 2]],
  ])("are told from alpha, which shows white: %s", async (_, extraSamples) => {
    const channels = [...rgbChannels, ...(extraSamples ?? [2]).map((kind) => (kind === 0 ? () => 0.3 : selection))];
    const pixels = await decode(madeTiff({ channels, ...(extraSamples && { extraSamples }) }));
    const opaque = await decode(madeTiff({ channels: rgbChannels }));
    const [left, right] = [20 * 60 + 10, 20 * 60 + 50].map((place) => place * 3);
    expect([...pixels.subarray(left, (left ?? 0) + 3)]).toEqual([...opaque.subarray(left, (left ?? 0) + 3)]);
    expect([...pixels.subarray(right, (right ?? 0) + 3)]).toEqual([255, 255, 255]);
  });

  test("premultiplied alpha beside a selection is undone once", async () => {
    const half = rgbChannels.map((channel) => (across: number, down: number) => channel(across, down) / 2);
    const channels = [...half, () => 0.5, selection];
    const pixels = await decode(madeTiff({ channels, extraSamples: [1, 0] }));
    const alone = await decode(madeTiff({ channels: [...rgbChannels, () => 0.5], extraSamples: [2] }));
    expect(meanDifference(pixels, alone)).toBeLessThan(1.5);
  });

  test("keep the photo upright and its colour profile", async () => {
    const form = { channels: [...rgbChannels, selection], extraSamples: [0] };
    const turned = await decode(madeTiff({ ...form, fields: { 274: [3] } }));
    const stored = await decode(madeTiff({ channels: rgbChannels }));
    const upright = await sharp(stored, { raw: { width: 60, height: 40, channels: 3 } })
      .rotate(180)
      .raw()
      .toBuffer();
    expect(meanDifference(turned, upright)).toBeLessThan(0.6);
    const p3 = await sharp(madeTiff({ channels: rgbChannels }))
      .withIccProfile("p3")
      .tiff()
      .toBuffer();
    const { icc } = await sharp(p3).metadata();
    if (icc === undefined) throw new Error("expected a colour profile");
    const profiled = (channels: typeof form.channels, extraSamples: number[]) =>
      madeTiff({ channels, extraSamples, icc });
    const wide = await decode(profiled(form.channels, [0]));
    expect(meanDifference(wide, await decode(profiled([...rgbChannels, () => 1], [2])))).toBeLessThan(1);
    expect(meanDifference(wide, stored)).toBeGreaterThan(3);
  });
});

describe("a GIF's first frame", () => {
  const canvas = { width: 120, height: 80 };

  test("stands in its place on white where it leaves the canvas uncovered", async () => {
    const gif = await madeImage("gif");
    const view = new DataView(gif.buffer);
    view.setUint16(6, canvas.width, true);
    view.setUint16(8, canvas.height, true);
    const frameAt = gif.findIndex((byte, at) => byte === 0x2c && view.getUint32(at + 5, true) === (40 << 16) + 60);
    view.setUint16(frameAt + 1, 60, true);
    view.setUint16(frameAt + 3, 40, true);
    const { pixels, image } = await decodeImage(gif, { preprocessing: { ...preprocessing, ...canvas }, maxPixels });
    expect(image).toMatchObject(canvas);
    const corner = sharp(pixels, { raw: { ...canvas, channels: 3 } }).extract({
      left: 60,
      top: 40,
      width: 60,
      height: 40,
    });
    expect(meanDifference(await corner.raw().toBuffer(), await decode(await madeImage("gif")))).toBe(0);
    expect([...pixels.subarray(0, 60 * 3)].every((value) => value === 255)).toBe(true);
  });

  test("counts alone: what follows may be cut short, and the trailer may be missing", async () => {
    const gif = await madeImage("gif");
    const whole = await decode(gif);
    expect(meanDifference(await decode(gif.subarray(0, -1)), whole)).toBe(0);
    const more = Buffer.concat([gif.subarray(0, -1), Uint8Array.of(0x2c, 0, 0, 0, 0, 60)]);
    expect(meanDifference(await decode(new Uint8Array(more)), whole)).toBe(0);
    await expect(decode(gif.subarray(0, gif.length / 2))).rejects.toMatchObject(damaged);
  });
});

describe("a PNG's gamma", () => {
  /** The test picture with values that stand for light in another way than in sRGB, and a chunk that may say so. */
  async function gammaPng({ power, chunks }: { power: number; chunks: Record<string, number[]> }): Promise<Uint8Array> {
    const { data, info } = await sharp(await madeImage("png"))
      .raw()
      .toBuffer({ resolveWithObject: true });
    const values = data.map((value) => Math.round(255 * (value / 255) ** power));
    const png = await sharp(values, { raw: info }).png().toBuffer();
    const added = Object.entries(chunks).map(([type, content]) => {
      const chunk = Buffer.concat([Buffer.alloc(4), Buffer.from(type), Buffer.from(content), Buffer.alloc(4)]);
      chunk.writeUInt32BE(content.length);
      chunk.writeUInt32BE(crc32(chunk.subarray(4, -4)), chunk.length - 4);
      return chunk;
    });
    const headerEnd = 8 + 25;
    return Buffer.concat([png.subarray(0, headerEnd), ...added, png.subarray(headerEnd)]);
  }
  const linear = { gAMA: [0, 1, 0x86, 0xa0] };
  const oldMac = { gAMA: [0, 0, 0xd9, 3] };

  test.each([
    ["linear light", 2.2, linear],
    ["an old Mac's", 1.222, oldMac],
    ["of darker values", 0.77, { gAMA: [0, 0, 0x88, 0xb8] }],
  ])("is applied: %s", async (_, power, chunks) => {
    const pixels = await decode(await gammaPng({ power: power, chunks }));
    expect(meanDifference(pixels, await decode(await madeImage("png")))).toBeLessThan(2);
  });

  test("counts for nothing where it is sRGB's, or where sRGB is named", async () => {
    const plain = await decode(await madeImage("png"));
    for (const chunks of [{ gAMA: [0, 0, 0xb1, 0x8f] }, { ...linear, sRGB: [0] }, { sRGB: [0], ...linear }]) {
      expect(meanDifference(await decode(await gammaPng({ power: 1, chunks })), plain)).toBe(0);
    }
  });
});

test("takes an AVIF's colours as they are where they are multiplied by its alpha", async () => {
  const values = new Uint8Array(64 * 64 * 4).fill(64);
  const picture = sharp(values, { raw: { width: 64, height: 64, channels: 4 } }).withExif({ IFD0: { Copyright: "x" } });
  const file = await picture.avif({ lossless: true }).toBuffer();
  expect((await decode(file))[0]).toBeCloseTo(255 - (255 - 64) * (64 / 255), -1);
  const [fromAlpha, toColours] = [8, 12].map((at) => file.readUInt16BE(file.indexOf("auxl") - 4 + at));
  const reference = Buffer.from([0, toColours ?? 0, 0, 1, 0, fromAlpha ?? 0]);
  file.set(Buffer.concat([Buffer.from("prem"), reference]), file.indexOf("cdsc")); // in the place of one from EXIF
  expect((await decode(file))[0]).toBeGreaterThan(252);
});

test("decodes the still picture of an animated AVIF", async () => {
  const still = await madeImage("avif");
  const animated = still.slice();
  animated.set(Buffer.from("avis"), 8);
  expect(meanDifference(await decode(animated), await decode(still))).toBe(0);
});

describe("a JPEG without its end marker", () => {
  const forms = [
    ["baseline", () => madeImage("jpeg")],
    ["progressive", () => progressiveJpeg()],
    ["greyscale", () => greyscaleJpeg()],
    ["of more than a megapixel", () => madeImage("jpeg", { width: 1280, height: 960 })],
  ] as const;

  test.each(forms)("shows what it shows with it: %s", async (_, make) => {
    const whole = await make();
    expect([...whole.subarray(-2)]).toEqual([0xff, 0xd9]);
    for (const end of [2, 1]) {
      const unended = whole.slice(0, -end);
      expect(meanDifference(await decodeLarge(unended), await decodeLarge(whole))).toBe(0);
      const thumbnail = await (await openPhoto(unended, { maxPixels: 2e6 })).raw().toBuffer();
      const expected = await (await openPhoto(whole, { maxPixels: 2e6 })).raw().toBuffer();
      expect(thumbnail.equals(expected)).toBe(true);
    }
  });

  test.each(forms)("is refused where as much as a byte of a scan is missing, too: %s", async (_, make) => {
    const whole = await make();
    const cuts = [1, 2, 3, 4, 5, 7, 12, 30, 100, Math.floor(whole.length / 10), Math.floor(whole.length / 2)];
    for (const cut of cuts) {
      const bytes = whole.slice(0, -2 - cut);
      await expect(decodeLarge(bytes), `cut by ${cut} bytes`).rejects.toMatchObject({ code: "invalid_image" });
    }
  });

  test("is refused where whole scans are missing, too", async () => {
    const whole = Buffer.from(await progressiveJpeg());
    const scans = [...whole.keys()].filter((at) => whole[at] === 0xff && whole[at + 1] === 0xda);
    expect(scans.length).toBeGreaterThan(5);
    for (const scan of scans.slice(1)) {
      const tablesAt = whole.lastIndexOf(Buffer.from([0xff, 0xc4]), scan);
      const previous = scans[scans.indexOf(scan) - 1] ?? 0;
      const cut = whole.subarray(0, tablesAt > previous ? tablesAt : scan);
      await expect(decode(new Uint8Array(cut))).rejects.toMatchObject(damaged);
    }
  });

  async function decodeLarge(bytes: Uint8Array): Promise<Uint8Array> {
    return (await decodeImage(bytes, { preprocessing, maxPixels: 2e6 })).pixels;
  }
});

interface Form {
  bits?: 8 | 16;
  isPlanar?: boolean;
  littleEndian?: boolean;
  isBig?: boolean;
  /** Number of extra samples whose kind the file does not state. */
  extras?: number;
}
