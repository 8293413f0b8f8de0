import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { decodeImage } from "../../../captioner/images/decode-image.ts";
import { estimateDecodeMs } from "../../../captioner/images/decoding-effort.ts";
import { readImageHeader } from "../../../shared/image-header.ts";
import type { Preprocessing } from "../../../shared/manifest.ts";
import { madeImage } from "../../fixtures/made-images.ts";
import { madeTiff } from "../../fixtures/made-tiffs.ts";
import { manyFrameWebp, manyScanJpeg, slowImage } from "../../fixtures/slow-images.ts";

const preprocessing: Preprocessing = {
  width: 299,
  height: 299,
  fit: "fill",
  kernel: "linear",
  divisor: 127.5,
  offset: -1,
};
const decode = (bytes: Uint8Array) => decodeImage(bytes, { preprocessing, maxPixels: 100_000_000 });
const grey = () => 0.5;
const nothing = new Uint8Array();
const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

describe("a file that is small and takes minutes to decode", () => {
  test.each([
    ["a JPEG of 51 scans", () => manyScanJpeg(51), "expected a JPEG of at most 50 scans, received more"],
    ["a JPEG of 800 scans", () => manyScanJpeg(800), "expected a JPEG of at most 50 scans, received more"],
    ["a WebP of 5000 frames", () => manyFrameWebp(5000), "expected a WebP of at most 5000 chunks, received more"],
  ])("is refused before it is decoded: %s", async (_, make, message) => {
    await expect(decode(await make())).rejects.toMatchObject({ code: "invalid_image", message });
  });

  test.each([
    ["a JPEG of 50 scans", () => manyScanJpeg(50)],
    ["a WebP of 300 frames", () => manyFrameWebp(300)],
  ])("is told from one that does not: %s", async (_, make) => {
    expect((await decode(await make())).image).toMatchObject({ width: 60, height: 40 });
  });

  test("is not what a JPEG's comments, previews and appended films look like", async () => {
    const jpeg = await madeImage("jpeg");
    const scans = new Uint8Array(120).map((_, index) => (index % 2 === 0 ? 0xff : 0xda));
    const comment = joined(new Uint8Array([0xff, 0xfe, 0, scans.length + 2]), scans);
    const file = joined(jpeg.subarray(0, 2), comment, jpeg.subarray(2), scans);
    expect((await decode(file)).image).toMatchObject({ format: "jpeg", width: 60, height: 40 });
  });
});

describe("what is expected of a photo's decoding", () => {
  const estimate = (bytes: Uint8Array) => estimateDecodeMs(bytes, readImageHeader(bytes));
  const size = { width: 400, height: 300 };
  const made = (format: "jpeg" | "png" | "webp" | "gif" | "tiff") => madeImage(format, size);

  test("is more for an AVIF and an interlaced PNG than for other formats, of the same pixels", async () => {
    const usual = await Promise.all((["jpeg", "png", "webp", "gif", "tiff"] as const).map(made));
    const slow = await Promise.all([slowImage("avif", 1000), slowImage("png", 1000)]);
    const usualMs = usual.map((bytes) => estimate(bytes) / (size.width * size.height));
    const slowMs = slow.map((bytes) => estimate(bytes) / 1000 ** 2);
    expect(Math.min(...slowMs)).toBeGreaterThan(1.5 * Math.max(...usualMs));
  });

  test("grows with the scans of a JPEG, and with its bytes", async () => {
    const [one, ten, fifty] = await Promise.all([made("jpeg"), manyScanJpeg(10), manyScanJpeg(50)]);
    const perPixel = (bytes: Uint8Array, pixels: number) => estimate(bytes) / pixels;
    expect(perPixel(ten, 60 * 40)).toBeGreaterThan(perPixel(one, size.width * size.height));
    expect(perPixel(fifty, 60 * 40)).toBeGreaterThan(1.5 * perPixel(ten, 60 * 40));
    expect(estimate(joined(one, new Uint8Array(10_000_000)))).toBeGreaterThan(estimate(one) + 100);
  });

  test("grows with the bytes of a WebP and an AVIF, which are slow where they hold noise, and not with other frames", async () => {
    const noise = new Uint8Array(300 * 300 * 3).map((_, index) => (index * index * 2654435761) >>> 24);
    const photo = sharp(noise, { raw: { width: 300, height: 300, channels: 3 } });
    const flat = sharp({ create: { width: 300, height: 300, channels: 3, background: "grey" } });
    for (const format of ["webp", "avif"] as const) {
      const options = { quality: 95, effort: 0 };
      const [noisy, quiet] = await Promise.all(
        [photo, flat].map(async (image) => new Uint8Array(await image.toFormat(format, options).toBuffer())),
      );
      expect(estimate(noisy ?? nothing)).toBeGreaterThan(3 * estimate(quiet ?? nothing));
      expect(estimate(joined(quiet ?? nothing, new Uint8Array(20_000_000)))).toBeLessThan(100);
    }
  });

  test("grows with the channels of a TIFF and with their bits, and with channels that are no colours", () => {
    const size = { width: 1000, height: 1000 };
    const of = (channels: number, bits: 8 | 16, extraSamples: number[] = []) => {
      const form = { ...size, channels: Array(channels).fill(grey), bits, data: new Uint8Array(1) };
      return estimate(madeTiff(extraSamples.length === 0 ? form : { ...form, extraSamples }));
    };
    expect(of(3, 8)).toBeLessThan(25);
    expect(of(3, 16)).toBeGreaterThan(1.5 * of(3, 8));
    expect(of(4, 8, [0])).toBeGreaterThan(2 * of(4, 8, [2]));
    const selections = Array(13).fill(0);
    expect(of(16, 8, selections)).toBeGreaterThan(100); // 134 ms were measured
    expect(of(16, 16, selections)).toBeGreaterThan(of(16, 8, selections));
  });

  test("lets a phone's photo of 12 megapixels and 5 MB pass as usual", async () => {
    const bytes = joined(await made("jpeg"), new Uint8Array(5_000_000));
    expect(estimateDecodeMs(bytes, { format: "jpeg", width: 4000, height: 3000, orientation: 1 })).toBeLessThan(250);
  });
});
