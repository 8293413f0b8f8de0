import { describe, expect, it } from "vitest";
import { decodeImage } from "../../../gpu-service/images/decode-image.ts";
import type { Preprocessing } from "../../../shared/manifest.ts";
import { manyFrameWebp, manyScanJpeg } from "../../fixtures/costly-images.ts";
import { madeImage } from "../../fixtures/made-images.ts";

const preprocessing: Preprocessing = {
  width: 299,
  height: 299,
  fit: "fill",
  kernel: "linear",
  divisor: 127.5,
  offset: -1,
};
const decode = (bytes: Uint8Array) => decodeImage(bytes, { preprocessing, maxPixels: 100_000_000 });
const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

describe("a file that is small and takes minutes to decode", () => {
  it.each([
    ["a JPEG of 51 scans", () => manyScanJpeg(51), "expected a JPEG of at most 50 scans, received more"],
    ["a JPEG of 800 scans", () => manyScanJpeg(800), "expected a JPEG of at most 50 scans, received more"],
    ["a WebP of 5000 frames", () => manyFrameWebp(5000), "expected a WebP of at most 5000 chunks, received more"],
  ])("is refused before it is decoded: %s", async (_, make, message) => {
    await expect(decode(await make())).rejects.toMatchObject({ code: "invalid_image", message });
  });

  it.each([
    ["a JPEG of 50 scans", () => manyScanJpeg(50)],
    ["a WebP of 300 frames", () => manyFrameWebp(300)],
  ])("is told from one that does not: %s", async (_, make) => {
    expect((await decode(await make())).image).toMatchObject({ width: 60, height: 40 });
  });

  it("is not what a JPEG's comments, previews and appended films look like", async () => {
    const jpeg = await madeImage("jpeg");
    const scans = new Uint8Array(120).map((_, index) => (index % 2 === 0 ? 0xff : 0xda));
    const comment = joined(new Uint8Array([0xff, 0xfe, 0, scans.length + 2]), scans);
    const file = joined(jpeg.subarray(0, 2), comment, jpeg.subarray(2), scans);
    expect((await decode(file)).image).toMatchObject({ format: "jpeg", width: 60, height: 40 });
  });
});
