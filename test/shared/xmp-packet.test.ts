import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { captionTags, readDescription } from "../../cli/outputs/description.ts";
import { Metadata } from "../../files/exiftool.ts";
import { xmpPacket } from "../../shared/xmp-packet.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";

const metadata = new Metadata();
afterAll(() => metadata.close());

const model = { id: "everyday-merge", revision: "0123456789ab" };

async function sidecarOf(caption: string, keywords?: string[]): Promise<string> {
  const file = join(await temporaryFolder(), "photo.jpg.xmp");
  const found = keywords?.map((keyword) => ({ keyword, confidence: 0.5 }));
  await writeFile(file, await xmpPacket({ caption, model, ...(found && { keywords: found }) }));
  return file;
}

test("ExifTool reads the description, who wrote it, and the keywords", async () => {
  const file = await sidecarOf("a dog runs", ["dog", "run"]);
  expect(await metadata.read(file, ["XMP:All", "Warning", "Error"])).toMatchObject({
    "XMP-dc:Description": "a dog runs",
    "XMP-dc:Subject": ["dog", "run"],
    "XMP-edgecaption:Keywords": ["dog", "run"],
    "XMP-photoshop:CaptionWriter": expect.stringMatching(/^edge-caption everyday-merge 0123456789ab [0-9a-f]{8}$/),
  });
  expect(Object.keys(await metadata.read(await sidecarOf("a dog"), ["XMP:All"]))).not.toContain("XMP-dc:Subject");
});

test.each([
  ["</rdf:li></rdf:Alt></dc:description><dc:rights>x</dc:rights>", undefined],
  [`"quotes" & 'apostrophes' &amp; <!-- ]]> <?xpacket end="w"?>`, undefined],
  ["ein Hund läuft 🐕 – 犬", undefined],
  ["a\u0000b\u0008c\ufffed\ud800e", "a\ufffdb\ufffdc\ufffdd\ufffde"],
])("a caption is text and never markup: %j", async (caption, read = caption) => {
  const tags = await metadata.read(await sidecarOf(caption, [caption]), ["XMP:All", "Warning", "Error"]);
  expect(tags).toMatchObject({ "XMP-dc:Description": read });
  expect([tags["XMP-dc:Subject"]].flat()).toEqual([read]);
  const fields = ["XMP-dc:Description", "XMP-dc:Subject", "XMP-edgecaption:Keywords", "XMP-photoshop:CaptionWriter"];
  expect(Object.keys(tags).filter((tag) => tag.startsWith("XMP-"))).toEqual(expect.arrayContaining(fields));
  expect(Object.keys(tags).filter((tag) => tag.startsWith("XMP-"))).toHaveLength(fields.length);
  expect([tags.errors, tags.warnings]).toEqual([[], []]);
});

test("the command takes the description for one of ours, and a changed one for somebody's", async () => {
  const judge = async (text: string, change = "") => {
    const there = await readDescription(metadata, await sidecarOf(text, ["dog"]));
    const changed = { ...there, texts: there.texts.map((found) => found + change) };
    const photo = { path: "photo.jpg", file: "photo.jpg", photo: { id: `sha256:${"0".repeat(64)}` }, format: "jpeg" };
    const caption = { ...photo, caption: "a cat sits", keywords: ["cat"], model, isUnsure: false } as const;
    return captionTags(changed, caption as Parameters<typeof captionTags>[1], {
      state: { hasSaid: () => false },
      overwrite: false,
      altText: undefined,
    });
  };
  expect(await judge(" a <dog> runs\u0007")).toMatchObject({
    isKept: false,
    tags: { "XMP-dc:Description": "a cat sits", "XMP-dc:Subject": ["cat"] },
  });
  expect(await judge("a dog runs", " home")).toMatchObject({ isKept: true });
});
