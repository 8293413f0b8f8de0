import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { nameSources, parseDataSource } from "../../../training/dataset.ts";
import { prepare } from "../../../training/prepare.ts";
import { readPrepared } from "../../../training/prepared.ts";
import { runStages } from "../../../training/run-stages.ts";
import { sentences } from "../../../training/sentences.ts";
import { defaultSettings } from "../../../training/settings.ts";
import type { TrainRequest } from "../../../training/stage.ts";
import { temporaryFolder } from "../../fixtures/bundles.ts";
import { enoughCaptions, makeFlickr8k, makeJsonl } from "../made-dataset.ts";
import { listen, runPrepare } from "../run-prepare.ts";

describe("several data sets", () => {
  test("are learnt from together, each with its weight, and chosen by one that nothing is learnt from", async () => {
    const flickr8k = await makeFlickr8k();
    const own = await makeJsonl([{ image: "mine.jpg", captions: enoughCaptions, split: "train" }], {
      photos: ["mine.jpg"],
    });
    const dev = await makeJsonl([{ image: "dev.jpg", captions: enoughCaptions }], { photos: ["dev.jpg"] });
    const data = [
      { path: flickr8k, weight: 1, isDev: false },
      { path: own, weight: 0.5, isDev: false },
      { path: dev, weight: 1, isDev: true },
    ];
    const { photos, photoFolder, summary } = await readPrepared(await runPrepare({ data }));
    expect(photos.map(({ id, split, dataset, weight }) => [id, split, dataset, weight])).toEqual([
      ["data/one", "train", "data", undefined],
      ["data/two", "dev", "data", undefined],
      [`${nameOf(own)}/mine.jpg`, "train", nameOf(own), 0.5],
      [`${nameOf(dev)}/dev.jpg`, "dev", nameOf(dev), undefined],
    ]);
    expect(photos.map(({ file }) => resolve(photoFolder, file))).toEqual([
      join(flickr8k, "images/one.jpg"),
      join(flickr8k, "images/two.jpg"),
      join(dirname(own), "mine.jpg"),
      join(dirname(dev), "dev.jpg"),
    ]);
    expect(Object.keys(summary.sources)).toContain(`${nameOf(dev)}/captions.jsonl`);
  });

  test("that have one photo under two names keep it out of training where one of them scores by it", async () => {
    const photos = ["same.jpg"];
    const own = await makeJsonl([{ image: "same.jpg", captions: enoughCaptions, split: "train" }], { photos });
    const dev = await makeJsonl([{ image: "same.jpg", captions: enoughCaptions }], { photos });
    const data = [
      { path: await makeFlickr8k(), weight: 1, isDev: false },
      { path: own, weight: 1, isDev: false },
      { path: dev, weight: 1, isDev: true },
    ];
    const { photos: prepared, summary } = await readPrepared(await runPrepare({ data }));
    expect(prepared.filter(({ split }) => split === "train").map(({ id }) => id)).toEqual(["data/one"]);
    expect(summary.findings.inTwoSplits.join()).toMatch(/same\.jpg \(train, a copy of .*same\.jpg; kept for dev\)/);
  });

  test("without splits have a tenth of each set aside", async () => {
    const names = Array.from({ length: 20 }, (_, index) => `${index}.jpg`);
    const lines = names.map((image) => ({ image, captions: enoughCaptions }));
    const data = [
      { path: await makeFlickr8k(), weight: 1, isDev: false },
      { path: await makeJsonl(lines, { photos: names }), weight: 1, isDev: false },
    ];
    const { photos } = await readPrepared(await runPrepare({ data }));
    const dev = photos.filter(({ split, dataset }) => split === "dev" && dataset !== "data");
    expect(dev.length).toBeGreaterThan(0);
    expect(dev.length).toBeLessThan(10);
  });
});

describe("photos with words", () => {
  async function contextOf(words: readonly object[], text: string): Promise<TrainRequest> {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "out"));
    const photo = await makeJsonl(words, { photos: ["pizza.jpg", "dog.jpg"] });
    await writeFile(join(folder, "text.txt"), text);
    const settings = { ...defaultSettings, minCount: 1, words: [photo], text: [join(folder, "text.txt")] };
    return { data: [], out: join(folder, "out"), settings };
  }

  const text = [
    "A pizza lies on the wooden table .",
    "A large pizza is on a white plate .",
    "A brown dog runs over the green grass .",
    "The dog sits on the grass beside a tree .",
  ].join("\n");

  test("are learnt from the sentences that fit them, which count less than written captions", async () => {
    const context = await contextOf(
      [
        { image: "pizza.jpg", words: { pizza: 0.9 } },
        { image: "dog.jpg", words: ["dog"] },
      ],
      text,
    );
    const heard = listen();
    await runStages([sentences, prepare], context);
    expect(heard()).toContain("sentences: chosen for 2 photos, 5 each at most\n");
    const { photos, photoFolder } = await readPrepared(context);
    expect(
      photos.map(({ file, split, weight }) => [
        resolve(photoFolder, file).endsWith(file.split("/").at(-1) ?? ""),
        split,
        weight,
      ]),
    ).toEqual([
      [true, "train", defaultSettings.sentenceWeight],
      [true, "train", defaultSettings.sentenceWeight],
    ]);
    expect(photos[0]?.captions[0]?.text).toMatch(/pizza/);
    expect(photos[1]?.captions[0]?.text).toMatch(/dog/);
  });

  test("of which the text says none are left out, counted, and their words named", async () => {
    const context = await contextOf(
      [
        { image: "pizza.jpg", words: { pizza: 0.9 } },
        { image: "dog.jpg", words: ["zebra"] },
      ],
      text,
    );
    const heard = listen();
    await runStages([sentences], context);
    const said = heard();
    expect(said).toContain("1 photo is left out: the text says none of its words\n");
    expect(said).toContain("1 word that the text never says: zebra (1 photo)\n");
  });

  test.each([
    ["an empty text", "", "expected sentences, one a line, found none"],
    [
      "a text that says nothing of any photo",
      "Nobody is here on this day .",
      "expected sentences that contain at least one of the photos' words",
    ],
  ])("stop with a sentence where there is %s", async (_, contents, message) => {
    const context = await contextOf([{ image: "pizza.jpg", words: { pizza: 0.9 } }], contents);
    listen();
    await expect(runStages([sentences], context)).rejects.toThrow(message);
  });
});

test("a place has a weight behind a colon, and none means 1", () => {
  expect(parseDataSource("a/b.jsonl:0.5")).toEqual({ path: "a/b.jsonl", weight: 0.5 });
  expect(parseDataSource("C:\\photos\\b.jsonl")).toEqual({ path: "C:\\photos\\b.jsonl", weight: 1 });
  expect(() => parseDataSource("b:0")).toThrow("expected a weight above 0, found 0");
  expect(() => parseDataSource("b:-1")).toThrow("expected a weight above 0, found -1");
});

test("data sets are named after what tells them apart, later ones of one name by number", () => {
  const paths = [
    "/a/flickr8k",
    "/b/captions.jsonl",
    "/c/b/captions.csv",
    "/coco/captions_val2017.json",
    "/captions.json",
  ];
  expect(nameSources(paths.map((path) => ({ path })))).toEqual([
    "flickr8k",
    "b",
    "b-2",
    "captions_val2017",
    "captions",
  ]);
});

/** Of a data set in a file `captions.jsonl`. */
function nameOf(path: string): string {
  return basename(dirname(path));
}
