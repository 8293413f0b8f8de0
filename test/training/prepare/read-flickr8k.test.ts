import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readFlickr8k } from "../../../training/prepare/read-flickr8k.ts";
import { makeFlickr8k, tokensOf } from "../made-dataset.ts";

describe("reads the token file", () => {
  test.each([
    ["with the ends of lines of Windows", "one.jpg#0\tA dog .\r\none.jpg#1\tA cat .\r\n"],
    ["with a byte order mark", "\ufeffone.jpg#0\tA dog .\none.jpg#1\tA cat ."],
    ["with empty lines and spaces at their ends", "\none.jpg#0\tA dog .  \n\n \none.jpg#1\tA cat .\t\n\n"],
  ])("%s", async (_, tokens) => {
    const { photos } = await readFlickr8k(await makeFlickr8k({ tokens }));
    expect(photos).toEqual([
      { id: "one", file: "images/one.jpg", splits: ["train"], captions: ["A dog .", "A cat ."] },
    ]);
  });

  test("with a file name that has spaces and a hash in it", async () => {
    const name = "my dog #2 at home.jpg";
    const { photos } = await readFlickr8k(await makeFlickr8k({ tokens: `${name}#0\tA dog .`, train: [name] }));
    expect(photos).toMatchObject([{ id: "my dog #2 at home", file: `images/${name}`, splits: ["train"] }]);
  });

  test("with a photo that is called .jpg.1 once, as Flickr8k does", async () => {
    const tokens = "one.jpg.1#0\tA dog .\none.jpg#1\tA cat .";
    const { photos } = await readFlickr8k(await makeFlickr8k({ tokens }));
    expect(photos).toMatchObject([{ id: "one", file: "images/one.jpg", captions: ["A dog .", "A cat ."] }]);
  });

  test.each([
    [
      "no tab",
      "one.jpg#1 A dog .",
      'line 3: expected <file name>#<number>, a tab and a caption, found "one.jpg#1 A dog ."',
    ],
    [
      "no number",
      "one.jpg\tA dog .",
      'line 3: expected <file name>#<number>, a tab and a caption, found "one.jpg\\tA dog ."',
    ],
    ["no caption", "one.jpg#1\t", "line 3: expected <file name>#<number>, a tab and a caption"],
    ["no name", "#1\tA dog .", "line 3: expected <file name>#<number>, a tab and a caption"],
    [
      "a name that another photo has up to its dot",
      "one.b.jpg#1\tA dog .",
      "line 3: expected names that differ before",
    ],
  ])("and refuses a line with %s, by its number", async (_, line, message) => {
    const tokens = `one.jpg#0\tA dog .\n\n${line}\n`;
    await expect(readFlickr8k(await makeFlickr8k({ tokens }))).rejects.toThrow(message);
  });

  test("and refuses what is not UTF-8, by its line", async () => {
    const tokens = Buffer.from("one.jpg#0\tA dog .\none.jpg#1\tA caf\xe9 .\n", "latin1");
    await expect(readFlickr8k(await makeFlickr8k({ tokens }))).rejects.toThrow("line 2: expected UTF-8");
  });
});

test("reads lists with empty lines and names with spaces", async () => {
  const tokens = tokensOf("my dog.jpg").join("\n");
  const data = await makeFlickr8k({ tokens, train: ["", "my dog.jpg \r", ""] });
  expect((await readFlickr8k(data)).photos).toMatchObject([{ splits: ["train"] }]);
});

test("finds the photos in the folder of the original archive", async () => {
  const { photos } = await readFlickr8k(await makeFlickr8k({ photoFolder: "Flicker8k_Dataset" }));
  expect(photos.map(({ file }) => file)).toEqual(["Flicker8k_Dataset/one.jpg", "Flicker8k_Dataset/two.jpg"]);
});

test("says where it looked for photos", async () => {
  const data = await makeFlickr8k({ photoFolder: "pictures" });
  await expect(readFlickr8k(data)).rejects.toThrow(`${data}: expected the photos in a folder images`);
});

test("names the list that is missing", async () => {
  const data = await makeFlickr8k();
  await rm(join(data, "Flickr_8k.devImages.txt"));
  await expect(readFlickr8k(data)).rejects.toThrow("Flickr_8k.devImages.txt");
});
