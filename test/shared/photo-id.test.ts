import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { exiftoolPath } from "exiftool-vendored";
import sharp, { type Sharp } from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { byteIdOf, photoIdsOf } from "../../shared/photo-id.ts";
import { madeImage, rgbaPng, taggedImage } from "../fixtures/made-images.ts";
import { photoPath } from "../fixtures/real-photos.ts";

type Format = "jpeg" | "png" | "webp";

const formats: readonly Format[] = ["jpeg", "png", "webp"];
const run = promisify(execFile);
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "photo-id-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Returns the file after running ExifTool on it. */
async function exiftool(bytes: Uint8Array, args: readonly string[]): Promise<Uint8Array<ArrayBuffer>> {
  const file = join(folder, crypto.randomUUID());
  await writeFile(file, bytes);
  await run(await exiftoolPath(), ["-q", "-overwrite_original", ...args, file]);
  const written = new Uint8Array(await readFile(file));
  expect(await byteIdOf(written)).not.toBe(await byteIdOf(new Uint8Array(bytes)));
  return written;
}

async function contentIdOf(bytes: Uint8Array): Promise<string> {
  const { contentId } = await photoIdsOf(new Uint8Array(bytes));
  if (contentId === undefined) throw new Error("expected a content id");
  return contentId;
}

async function encode(image: Sharp, format: Format): Promise<Uint8Array> {
  return image.toFormat(format, { quality: 90 }).toBuffer();
}

/** Makes a photo with EXIF, an XMP packet and a colour profile. */
async function captionedPhoto(format: Format): Promise<Uint8Array> {
  const picture = sharp(await madeImage("png")).withExif({ IFD0: { Copyright: "us" } });
  return encode(picture.withXmp("<x:xmpmeta xmlns:x='adobe:ns:meta/'/>").withIccProfile("p3"), format);
}

const xmp = "-XMP-dc:Description=a dog";
const iptc = "-IPTC:Caption-Abstract=a dog";

describe("the content id stays the same", () => {
  test.each([
    ["jpeg", "in EXIF, XMP, IPTC and a comment", ["-Comment=a dog", "-EXIF:ImageDescription=a dog", xmp, iptc]],
    ["jpeg", "of more than a segment", [`-XMP-dc:Description=${"long ".repeat(20_000)}`]],
    ["png", "in EXIF, XMP and text", ["-PNG:Description=a dog", "-EXIF:ImageDescription=a dog", xmp]],
    ["png", "and the time of change, compressed", ["-PNG:ModifyDate=2024:02:03 04:05:06", "-z", "-PNG:Comment=a dog"]],
    ["webp", "in EXIF and XMP", ["-EXIF:ImageDescription=a dog", xmp]],
    ["webp", "in XMP alone", [xmp]],
  ] as [Format, string, string[]][])("when it writes a caption into a %s, %s", async (format, _, args) => {
    const bytes = await madeImage(format);
    expect(await contentIdOf(await exiftool(bytes, args))).toBe(await contentIdOf(bytes));
  });

  test.each(formats)(
    "when it writes into a %s that has metadata already, and when it takes all of that away",
    async (format) => {
      const bytes = await captionedPhoto(format);
      const captioned = await exiftool(bytes, [xmp]);
      const bare = await exiftool(captioned, ["-EXIF:all=", "-XMP:all="]);
      expect(await contentIdOf(captioned)).toBe(await contentIdOf(bytes));
      expect(await contentIdOf(bare)).toBe(await contentIdOf(bytes));
    },
  );

  test("when it writes into a real photo", async () => {
    const bytes = await readFile(photoPath("chelsea"));
    expect(await contentIdOf(await exiftool(bytes, [xmp, iptc]))).toBe(await contentIdOf(bytes));
  });

  test("for a lossless WebP, and back to a simple file", async () => {
    const bytes = await sharp(await madeImage("png"))
      .webp({ lossless: true })
      .toBuffer();
    const captioned = await exiftool(bytes, [xmp]);
    const bare = await exiftool(captioned, ["-all="]);
    expect(captioned.subarray(12, 16)).toEqual(new TextEncoder().encode("VP8X"));
    expect(bare.subarray(12, 16)).toEqual(new TextEncoder().encode("VP8L"));
    expect(new Set(await Promise.all([bytes, captioned, bare].map(contentIdOf))).size).toBe(1);
  });

  test("unless the orientation is written too", async () => {
    const bytes = await madeImage("jpeg");
    const turned = await exiftool(bytes, ["-n", "-Orientation=6"]);
    expect(await contentIdOf(turned)).not.toBe(await contentIdOf(bytes));
    expect(await contentIdOf(await exiftool(turned, ["-n", "-Orientation=1"]))).toBe(await contentIdOf(bytes));
  });

  test("unless a colour profile is taken away", async () => {
    const bytes = await encode(sharp(await madeImage("png")).withIccProfile("p3"), "jpeg");
    const bare = await exiftool(bytes, ["-ICC_Profile="]);
    expect(await contentIdOf(bare)).not.toBe(await contentIdOf(bytes));
  });
});

describe.each(formats)("two files of %s that show different photos", (format) => {
  const variants = async () => {
    const png = await madeImage("png");
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
    data[0] = (data[0] ?? 0) ^ 0x80;
    return {
      asItIs: await encode(sharp(png), format),
      onePixel: await encode(sharp(data, { raw: info }), format),
      profile: await encode(sharp(png).withIccProfile("p3"), format),
      otherProfile: await encode(sharp(png).withIccProfile("srgb"), format),
      turned: await taggedImage(format, 6),
      turnedBack: await taggedImage(format, 8),
    };
  };

  test("have different content ids: one pixel, colour profiles, orientations", async () => {
    const ids = await Promise.all(Object.values(await variants()).map(contentIdOf));
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("a photo's ids", () => {
  test("are the SHA-256 of the bytes, and of what they show", async () => {
    const bytes = await madeImage("jpeg");
    expect(await photoIdsOf(bytes)).toEqual({
      id: await byteIdOf(bytes),
      contentId: await byteIdOf(new Uint8Array([...bytes, 1])).then((id) => id.replace("sha256:", "content:")),
    });
  });

  test.each(["gif", "avif", "tiff"] as const)("are one for a %s", async (format) => {
    const bytes = await madeImage(format);
    expect(await photoIdsOf(bytes)).toEqual({ id: await byteIdOf(bytes) });
  });

  test("tell a WebP's alpha apart from none, which a simple lossless file says in its pixels", async () => {
    const rgba = await sharp(await rgbaPng())
      .webp({ lossless: true })
      .toBuffer();
    const flat = await sharp(await rgbaPng())
      .removeAlpha()
      .webp({ lossless: true })
      .toBuffer();
    expect(await contentIdOf(rgba)).not.toBe(await contentIdOf(flat));
  });
});

describe.each(formats)("a damaged %s", (format) => {
  test("has no content id when it is cut short before its pixels", async () => {
    const original = await captionedPhoto(format);
    for (const length of [3, 20, 40, 100, 300]) {
      const { contentId } = await photoIdsOf(new Uint8Array(original.subarray(0, length)));
      expect(contentId).toBeUndefined();
    }
  });
});

describe("a malformed file has no content id", () => {
  const exif = "Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0";
  const app1 = `\xff\xe1\0${String.fromCharCode(exif.length + 2)}${exif}`;

  test.each([
    ["with two EXIF blocks", () => app1 + app1],
    ["with bytes between its segments", () => "junk"],
    ["with a segment that ends before it begins", () => "\xff\xe0\0\x01"],
    ["with a second beginning", () => "\xff\xd8"],
    ["with more segments than any photo has", () => "\xff\xe0\0\x02".repeat(40_000)],
  ])("%s", async (_, inserted) => {
    const jpeg = Buffer.from(await madeImage("jpeg"));
    const damaged = Buffer.concat([jpeg.subarray(0, 2), Buffer.from(inserted(), "latin1"), jpeg.subarray(2)]);
    expect((await photoIdsOf(new Uint8Array(damaged))).contentId).toBeUndefined();
  });

  test("that says another size than it has, as a WebP does", async () => {
    const webp = await madeImage("webp");
    expect((await photoIdsOf(new Uint8Array([...webp, 0]))).contentId).toBeUndefined();
  });
});
