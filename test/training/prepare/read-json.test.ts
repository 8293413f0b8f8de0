import { rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { readJsonl } from "../../../training/prepare/read-json.ts";
import { readPrepared } from "../../../training/prepared.ts";
import { enoughCaptions, makeJsonl } from "../made-dataset.ts";
import { runPrepare } from "../run-prepare.ts";

describe("reads photos and captions", () => {
  test("with their splits, put together where several lines name one photo", async () => {
    const path = await makeJsonl([
      { image: "photos/a b.jpg", captions: ["A dog .", "A cat . "], split: "train" },
      "",
      { image: "c.jpg", captions: ["A bird ."], split: "test" },
      { image: "./photos/a b.jpg", captions: ["A horse ."], split: "train" },
      { image: "mute.jpg", captions: [], split: "dev" },
    ]);
    expect(await readJsonl(path)).toMatchObject({
      folder: dirname(path),
      hasSplits: true,
      photos: [
        {
          id: "photos/a b.jpg",
          file: "photos/a b.jpg",
          splits: ["train"],
          captions: ["A dog .", "A cat .", "A horse ."],
        },
        { id: "c.jpg", splits: ["test"], captions: ["A bird ."] },
      ],
      findings: { duplicated: ["photos/a b.jpg (on several lines)"], withoutCaptions: ["mute.jpg"] },
    });
  });

  test("from a file of Windows with a byte order mark", async () => {
    const path = await makeJsonl([]);
    await writeFile(path, '\ufeff{"image": "a.jpg", "captions": ["A dog ."]}\r\n\r\n');
    expect(await readJsonl(path)).toMatchObject({ hasSplits: false, photos: [{ id: "a.jpg", captions: ["A dog ."] }] });
  });

  test.each([
    ["that is no JSON", "{image: 'b.jpg'}", "line 2: expected a JSON object, found something else"],
    ["that is a list", "[]", "line 2: Invalid input: expected object, received array"],
    ["without a photo", { captions: ["A dog ."], split: "dev" }, "line 2: image: Invalid input: expected string"],
    ["without captions", { image: "b.jpg", split: "dev" }, "line 2: captions: Invalid input: expected array"],
    ["with an empty caption", { image: "b.jpg", captions: [" "], split: "dev" }, "line 2: captions.0: Too small"],
    [
      "of a split that is none",
      { image: "b.jpg", captions: ["A"], split: "val" },
      'expected one of "train"|"dev"|"test"',
    ],
    ["with a field too many", { image: "b.jpg", captions: ["A"], splits: "dev" }, 'Unrecognized key: "splits"'],
    [
      "without the split others have",
      { image: "b.jpg", captions: ["A"] },
      "line 2: expected a split on every line or on none",
    ],
  ])("and refuses a line %s, by its number", async (_, line, message) => {
    const path = await makeJsonl([{ image: "a.jpg", captions: ["A dog ."], split: "train" }, line]);
    await expect(readJsonl(path)).rejects.toThrow(message);
  });
});

describe("sets a tenth aside where no line has a split", () => {
  const names = Array.from({ length: 200 }, (_, index) => `${index}.png`);
  const linesOf = (photos: readonly string[]) => photos.map((image) => ({ image, captions: enoughCaptions }));

  async function devPhotos(path: string): Promise<string[]> {
    const { photos } = await readPrepared(await runPrepare({ data: path }));
    return photos.filter(({ split }) => split === "dev").map(({ sha256 }) => sha256);
  }

  test("by the photos' bytes: others that come and new names move none", async () => {
    const path = await makeJsonl(linesOf(names), { photos: names });
    const dev = await devPhotos(path);
    expect(dev.length).toBeGreaterThan(10);
    expect(dev.length).toBeLessThan(30);

    await rename(join(dirname(path), "0.png"), join(dirname(path), "renamed.png"));
    await writeFile(
      path,
      linesOf(["renamed.png", ...names.slice(1, 150)])
        .map((line) => JSON.stringify(line))
        .join("\n"),
    );
    const fewer = await devPhotos(path);
    expect(dev).toEqual(expect.arrayContaining(fewer));
    expect(fewer.length).toBeGreaterThan(7);
  });

  test("of two photos one, and of one none", async () => {
    const pair = ["a.png", "b.png"];
    expect(await devPhotos(await makeJsonl(linesOf(pair), { photos: pair }))).toHaveLength(1);
    expect(await devPhotos(await makeJsonl(linesOf(["c.png"]), { photos: ["c.png"] }))).toHaveLength(0);
  });
});
