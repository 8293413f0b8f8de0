import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { readDataset } from "../../../training/prepare/read-dataset.ts";
import { temporaryFolder } from "../../fixtures/bundles.ts";

/** A folder with files of the given contents; photos are empty files, since readers look at none. */
async function folderOf(files: Record<string, string>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [name, contents] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), contents);
  }
  return folder;
}

async function captionsIn(place: string, images: readonly string[] = []): Promise<Record<string, readonly string[]>> {
  const { photos } = await readDataset({ path: place, images });
  return Object.fromEntries(photos.map(({ file, captions }) => [file, captions]));
}

const coco = {
  images: [
    { id: 7, file_name: "000000000007.jpg" },
    { id: 8, file_name: "000000000008.jpg" },
  ],
  annotations: [
    { image_id: 8, id: 1, caption: "A cat sleeps." },
    { image_id: 7, id: 2, caption: "A dog runs.\n" },
    { image_id: 7, id: 3, caption: "A brown dog." },
  ],
};

const captioned = (path: string, caption: string, more: object = {}) =>
  JSON.stringify({ path, ...more, result: { id: "sha256:00", caption, confidence: 0.5 } });

describe("reads captioned photos, whatever their form", () => {
  test.each<[string, { files: Record<string, string>; captions: Record<string, string[]>; path?: string }]>([
    [
      "Kaggle's captions.txt of Flickr8k",
      {
        files: {
          "captions.txt": 'image,caption\n1.jpg,A dog , running .\n1.jpg,"A ""big"" dog , here ."\n2.jpg,A cat .\n',
          "Images/1.jpg": "",
          "Images/2.jpg": "",
        },
        captions: { "Images/1.jpg": ["A dog , running .", 'A "big" dog , here .'], "Images/2.jpg": ["A cat ."] },
      },
    ],
    [
      "Kaggle's results.csv of Flickr30k, with its broken row and quotes that are none",
      {
        files: {
          "results.csv":
            'image_name| comment_number| comment\n1.jpg| 0| A dog "runs .\n1.jpg| 1| A brown dog .\n2.jpg|   4   A cat sits .\n',
          "flickr30k_images/1.jpg": "",
          "flickr30k_images/2.jpg": "",
        },
        captions: {
          "flickr30k_images/1.jpg": ['A dog "runs .', "A brown dog ."],
          "flickr30k_images/2.jpg": ["A cat sits ."],
        },
      },
    ],
    [
      "COCO's captions_*.json",
      {
        files: {
          "captions_val2017.json": JSON.stringify(coco),
          "val2017/000000000007.jpg": "",
          "000000000008.jpg": "",
        },
        captions: {
          "val2017/000000000007.jpg": ["A dog runs.", "A brown dog."],
          "000000000008.jpg": ["A cat sleeps."],
        },
      },
    ],
    [
      "Hugging Face's metadata.jsonl, with one caption or several",
      {
        files: {
          "metadata.jsonl":
            '{"file_name": "a.jpg", "text": "A dog."}\n{"file_name": "b.jpg", "captions": ["A cat.", "Cats."]}\n',
          "a.jpg": "",
        },
        captions: { "a.jpg": ["A dog."], "b.jpg": ["A cat.", "Cats."] },
      },
    ],
    [
      "Hugging Face's metadata.csv",
      { files: { "metadata.csv": "file_name,text\r\na.jpg,A dog.\r\n" }, captions: { "a.jpg": ["A dog."] } },
    ],
    [
      "a table that a spreadsheet saved with semicolons",
      {
        files: { "mine.csv": "caption;path;stars\nA dog; a.jpg;5\n;b.jpg;1\n" },
        captions: { "a.jpg": ["A dog"] },
      },
    ],
    [
      "a table of ours with a byte order mark, whose caption a spreadsheet would take for a formula",
      { files: { "t.csv": "\uFEFFpath,caption\na.jpg,'=dog\n" }, captions: { "a.jpg": ["=dog"] } },
    ],
    [
      "photos with a text file each, in folders",
      {
        files: {
          "a.jpg": "",
          "a.txt": "A dog.\nA brown dog.\n",
          "sub/b.png": "",
          "sub/b.png.caption": "A cat (?)\n",
          "sub/c.jpg": "",
        },
        captions: { "a.jpg": ["A dog.", "A brown dog."], "sub/b.png": ["A cat"] },
      },
    ],
    [
      "what the command line writes with --jsonl: a person's correction before the model's caption",
      {
        files: {
          "captions.jsonl": [
            captioned("a.jpg", "a dog", { corrected: "Bella" }),
            captioned("b.jpg", "a cat"),
            JSON.stringify({ path: "c.jpg", error: { code: "invalid_image" } }),
          ].join("\n"),
        },
        captions: { "a.jpg": ["Bella"], "b.jpg": ["a cat"] },
      },
    ],
    [
      "what the command line writes with --csv",
      {
        files: {
          "captions.csv":
            "path,caption,confidence,unsure,id,model,revision,beam,candidates\na.jpg,a dog,0.5,yes,content:0,m,r,3,1\n",
        },
        captions: { "a.jpg": ["a dog"] },
      },
    ],
    [
      "a caption file by its own path, in whatever folder",
      {
        files: { "one.csv": "path,caption\na.jpg,one\n", "two.csv": "path,caption\na.jpg,two\n" },
        path: "two.csv",
        captions: { "a.jpg": ["two"] },
      },
    ],
  ])("%s", async (_, { files, captions, path }) => {
    const folder = await folderOf(files);
    expect(await captionsIn(path === undefined ? folder : join(folder, path))).toEqual(captions);
  });

  test("Karpathy's dataset_*.json, with its splits and COCO's folders", async () => {
    const image = (filename: string, split: string, filepath?: string) => ({
      ...{ filename, split, filepath, imgid: 0 },
      sentences: [{ raw: `${filename} . `, tokens: [] }],
    });
    const images = [
      image("1.jpg", "train"),
      image("2.jpg", "restval", "val2014"),
      image("3.jpg", "val"),
      image("4.jpg", "test"),
    ];
    const folder = await folderOf({
      "dataset_coco.json": JSON.stringify({ images, dataset: "coco" }),
      "val2014/2.jpg": "",
    });
    const { photos, hasSplits } = await readDataset({ path: folder, images: [] });
    expect(hasSplits).toBe(true);
    expect(photos.map(({ file, splits, captions }) => [file, splits.join(), ...captions])).toEqual([
      ["1.jpg", "train", "1.jpg ."],
      ["val2014/2.jpg", "train", "2.jpg ."],
      ["3.jpg", "dev", "3.jpg ."],
      ["4.jpg", "test", "4.jpg ."],
    ]);
  });

  test("photos of another folder that --images names", async () => {
    const folder = await folderOf({ "annotations/captions.json": JSON.stringify(coco), "train/000000000007.jpg": "" });
    const path = join(folder, "annotations/captions.json");
    expect(await captionsIn(path, [join(folder, "train")])).toEqual({
      "../train/000000000007.jpg": ["A dog runs.", "A brown dog."],
      "000000000008.jpg": ["A cat sleeps."],
    });
  });
});

describe("says what is wrong with", () => {
  test.each<[string, Record<string, string>, RegExp]>([
    [
      "a form that it does not know",
      { "notes.md": "hello", "a.jpg": "" },
      /expected Flickr8k's layout, Kaggle's .*; found a\.jpg, notes\.md$/,
    ],
    [
      "a table with another heading",
      { "list.csv": "photo_id,label\n1,dog\n" },
      /expected Flickr8k's layout.*; found list\.csv$/,
    ],
    ["an empty folder", {}, /found an empty folder$/],
    [
      "several files of captions",
      { "a.csv": "path,caption\na.jpg,b\n", "b.csv": "path,caption\na.jpg,b\n" },
      /expected one file of captions, found a\.csv, b\.csv: name the one/,
    ],
    [
      "a COCO file cut short",
      { "captions.json": '{"images": [{"id": 1, "file_na' },
      /expected JSON, found something else or a part of it$/,
    ],
    [
      "an annotation of an image that is not there",
      { "captions.json": JSON.stringify({ ...coco, images: [coco.images[0]] }) },
      /expected image 8 of annotation 1 among its images, found none$/,
    ],
    ["a COCO file without names", { "c.json": '{"images": [{"id": 1}], "annotations": []}' }, /images\.0\.file_name: /],
    [
      "a split that is none",
      { "d.json": '{"images": [{"filename": "1.jpg", "split": "dev", "sentences": []}]}' },
      /image 1\.jpg: expected one of the splits train, restval, val, test, found "dev"$/,
    ],
    [
      "a row without a photo",
      { "c.csv": "path,caption\n,A dog\n" },
      /row 2: expected the path of a photo, found none$/,
    ],
    ["a table of no captions", { "c.csv": "path,caption\na.jpg,\n" }, /expected photos with captions, found none$/],
    [
      "a quote without end",
      { "c.csv": 'path,caption\na.jpg,"A dog\nb.jpg,A cat\n' },
      /expected a closing quote, found none/,
    ],
  ])("%s", async (_, files, message) => {
    const folder = await folderOf(files);
    await expect(readDataset({ path: folder, images: [] })).rejects.toThrow(message);
  });

  test("a file that holds no captions", async () => {
    const folder = await folderOf({ "list.csv": "photo_id,label\n1,dog\n" });
    await expect(readDataset({ path: join(folder, "list.csv"), images: [] })).rejects.toThrow(
      /expected Flickr8k's layout.*; found "photo_id,label\\n1,dog\\n"$/,
    );
  });
});
