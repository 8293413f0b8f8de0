import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ExifTool } from "exiftool-vendored";
import { afterAll, describe, expect, test } from "vitest";
import { captionResultSchema } from "../../shared/contract.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { madeImage } from "../fixtures/made-images.ts";
import { madeRawPhoto } from "../fixtures/made-raw-photos.ts";
import { captionTiny, edgeCaptionIn } from "./run-command.ts";

const exiftool = new ExifTool();
afterAll(() => exiftool.end());
const preview = await madeImage("jpeg", { width: 320, height: 200 });
/** The same with the orientation in an EXIF block of its own. */
const turned = Buffer.concat([
  preview.subarray(0, 2),
  Buffer.from("ffe100224578696600004949 2a000800000001001201030001000000060000000000 0000".replaceAll(" ", ""), "hex"),
  preview.subarray(2),
]);

async function descriptionIn(file: string): Promise<unknown> {
  const tags: Record<string, unknown> = await exiftool.readRaw(file, { readArgs: ["-G1", "-XMP-dc:Description"] });
  return tags["XMP-dc:Description"];
}

describe("raw photos in a folder", () => {
  test("are captioned by their preview as it is turned, counted, and written about in sidecars alone", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "turned.jpg"), turned);
    const raws = {
      "IMG_1.CR2": madeRawPhoto("cr2", { preview, orientation: 6 }),
      "IMG_2.dng": madeRawPhoto("dng", { preview }),
    };
    for (const [name, bytes] of Object.entries(raws)) await writeFile(join(folder, name), bytes);
    const { code, stderr } = await captionTiny(folder, ".", "--embed", "--jsonl", "a.jsonl", "--html", "a.html");
    expect(code, stderr).toBe(0);
    expect(stderr).toContain("3 captioned; 2 are raw and known by their previews");
    for (const [name, bytes] of Object.entries(raws))
      expect(new Uint8Array(await readFile(join(folder, name)))).toEqual(bytes);

    const lines = (await readFile(join(folder, "a.jsonl"), "utf8")).trim().split("\n");
    const captions = new Map(
      lines.map((line) => [JSON.parse(line).path, captionResultSchema.parse(JSON.parse(line).result)]),
    );
    expect(captions.get("IMG_1.CR2")?.caption).toBe(captions.get("turned.jpg")?.caption);
    expect(captions.get("IMG_1.CR2")?.image).toMatchObject({ format: "jpeg", width: 320, height: 200 });
    for (const name of Object.keys(raws)) {
      expect(await descriptionIn(join(folder, `${name}.xmp`))).toBe(captions.get(name)?.caption);
    }
    expect((await readFile(join(folder, "a.html"), "utf8")).match(/src="data:image/g)).toHaveLength(3);
    expect((await captionTiny(folder, ".", "--embed")).stderr).toContain("3 had their caption already");
  });

  test("share photo.xmp with the JPEG that the camera wrote beside them", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "IMG_1.NEF"), madeRawPhoto("nef", { preview }));
    await writeFile(join(folder, "IMG_1.jpg"), preview);
    const { code, stderr } = await captionTiny(folder, ".", "--xmp", "--xmp-name", "stem");
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("1 shared the sidecar") });
    expect(existsSync(join(folder, "IMG_1.xmp"))).toBe(true);
    expect(existsSync(join(folder, "IMG_1.NEF.xmp"))).toBe(false);
  });

  test("take corrections into their sidecars", async () => {
    const folder = await temporaryFolder();
    const raw = madeRawPhoto("dng", { preview });
    await writeFile(join(folder, "1.dng"), raw);
    await captionTiny(folder, ".", "--csv", "a.csv");
    const table = await readFile(join(folder, "a.csv"), "utf8");
    await writeFile(join(folder, "a.csv"), table.replace(/1\.dng,[^,]*,/, "1.dng,Ada in the snow,"));
    expect((await edgeCaptionIn(folder, "apply", "a.csv", "--embed")).code).toBe(0);
    expect(await descriptionIn(join(folder, "1.dng.xmp"))).toBe("Ada in the snow");
    expect(new Uint8Array(await readFile(join(folder, "1.dng")))).toEqual(raw);
  });

  test("fail alone where they have no preview, and are passed over where their format is not read", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "1.raf"), madeRawPhoto("raf", {}));
    await writeFile(join(folder, "2.x3f"), "a raw photo of another format");
    await writeFile(join(folder, "3.jpg"), preview);
    const { code, stderr } = await captionTiny(folder, ".", "--csv", "a.csv");
    expect(code).toBe(1);
    expect(stderr).toContain("1.raf: a raw photo (RAF) without an embedded JPEG preview");
    expect(stderr).toContain("1 captioned, 1 failed");
    expect(stderr).toContain("passed over: 1 raw photo");
  });
});
