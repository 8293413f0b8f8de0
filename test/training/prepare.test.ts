import { appendFile, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { features } from "../../training/features.ts";
import { readPrepared } from "../../training/prepared.ts";
import { runStages } from "../../training/run-stages.ts";
import { defaultSettings } from "../../training/settings.ts";
import { temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";
import { textFile } from "../fixtures/made-images.ts";
import { makeFlickr8k, makeJsonl, tokensOf } from "./made-dataset.ts";
import { listen, runPrepare } from "./run-prepare.ts";

describe("writes what the next stages read", () => {
  test("the vocabulary of the training captions, in order of first appearance", async () => {
    const tokens = [...tokensOf("one.jpg"), ...tokensOf("two.jpg", ["Zebras and zebras .", "Zebras !"])].join("\n");
    const { vocabulary } = await readPrepared(await runPrepare({ data: await makeFlickr8k({ tokens }) }));
    expect(vocabulary.words.join(" ")).toBe(" startseq a brown dog runs the green grass endseq and black cat sits on");
  });

  test("photos in the order of the captions, with split, digest, raw and cleaned captions", async () => {
    const data = await makeFlickr8k();
    const { photos, photoFolder } = await readPrepared(await runPrepare({ data, cleaning: "tutorial" }));
    expect(photos.map(({ id, file, split }) => ({ id, file, split }))).toEqual([
      { id: "one", file: "images/one.jpg", split: "train" },
      { id: "two", file: "images/two.jpg", split: "dev" },
    ]);
    expect(photoFolder).toBe(data);
    expect(photos[0]?.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(photos[0]?.captions[0]).toEqual({
      text: "A brown dog runs over the green grass .",
      words: ["brown", "dog", "runs", "over", "the", "green", "grass"],
    });
  });

  test("a summary, and prints its numbers", async () => {
    const prepared = await runPrepare({ data: await makeFlickr8k() });
    const { summary } = await readPrepared(prepared);
    expect(summary).toMatchObject({
      ...{ cleaning: "natural", minCount: 2, photos: 2, words: 13, trainingPhotos: 1, trainingCaptions: 3 },
      ...{ trainingWords: 15, keptWords: 14, vocabularySize: 15, longestCaption: 15, emptyCaptions: 0 },
      ...{ devPhotos: 1, testPhotos: 0, hasSplits: true },
    });
    expect(prepared.said).toMatch(/vocabulary size, with padding +15\n/);
  });

  test("what cleaning left out of how many captions, and says so", async () => {
    const odd = ["A dog 's 2 balls and 2 cats ❤ .", "4x4 x", "5 ."];
    const tokens = [...tokensOf("one.jpg"), ...tokensOf("two.jpg", odd)].join("\n");
    const prepared = await runPrepare({ data: await makeFlickr8k({ tokens }) });
    const { summary } = await readPrepared(prepared);
    expect(summary.dropped).toEqual([
      {
        reason: "digits",
        captions: 3,
        words: [
          { word: "2", times: 2 },
          { word: "4x4", times: 1 },
          { word: "5", times: 1 },
        ],
      },
      {
        reason: "one letter",
        captions: 2,
        words: [
          { word: "s", times: 1 },
          { word: "x", times: 1 },
        ],
      },
      { reason: "other signs", captions: 1, words: [{ word: "❤", times: 1 }] },
    ]);
    expect(summary.findings.wordless).toEqual(['images/two.jpg ("4x4 x", "5 .")']);
    expect(prepared.said).toContain("words with digits left out of 3 captions: 2 (2 times), 4x4, 5\n");
    expect(prepared.said).toContain("words with signs that are not letters left out of 1 caption: ❤\n");
    expect(prepared.said).toContain("1 photo with captions that have no word after cleaning: images/two.jpg");
  });

  test("says what cleaning left out before it stops for want of words", async () => {
    const captions = ["एक कुत्ता दौड़ रहा है", "दो कुत्ते दौड़ रहे हैं"];
    const data = await makeFlickr8k({ tokens: [...tokensOf("one.jpg", captions), ...tokensOf("two.jpg")].join("\n") });
    const heard = listen();
    await expect(runPrepare({ data, cleaning: "tutorial" })).rejects.toThrow("expected at least 10 words");
    expect(heard()).toContain("words with signs that are not letters left out of 2 captions: दौड़ (2 times), कुत्ता");
  });

  test("the words of a caption in a script without spaces", async () => {
    const tokens = [...tokensOf("one.jpg"), "one.jpg#3\t一只狗在海滩上奔跑。"].join("\n");
    const { photos, summary } = await readPrepared(await runPrepare({ data: await makeFlickr8k({ tokens, dev: [] }) }));
    expect(photos[0]?.captions[3]?.words).toEqual(["一只", "狗", "在", "海滩", "上", "奔跑"]);
    expect(summary.dropped).toEqual([]);
  });

  test("counts captions of which cleaning leaves nothing, and keeps them", async () => {
    const tokens = [...tokensOf("one.jpg"), "one.jpg#3\tA 1 .", ...tokensOf("two.jpg")].join("\n");
    const { summary, photos } = await readPrepared(
      await runPrepare({ data: await makeFlickr8k({ tokens }), cleaning: "tutorial", minCount: 2 }),
    );
    expect(summary).toMatchObject({ trainingCaptions: 4, emptyCaptions: 1 });
    expect(photos[0]?.captions[3]).toEqual({ text: "A 1 .", words: [] });
  });
});

describe("tells of photos", () => {
  test("that are missing, unreadable, in no split or without captions, and leaves them out", async () => {
    const names = ["one.jpg", "two.jpg", "gone.jpg", "text.jpg", "spare.jpg"];
    const data = await makeFlickr8k({
      tokens: names.flatMap((name) => tokensOf(name)).join("\n"),
      train: ["one.jpg", "gone.jpg", "text.jpg", "mute.jpg"],
      photos: ["one.jpg", "two.jpg", "spare.jpg", "mute.jpg", "silent.png"],
    });
    await writeFile(join(data, "images/text.jpg"), textFile());
    const prepared = await runPrepare({ data });
    const { summary, photos } = await readPrepared(prepared);
    expect(photos.map(({ id }) => id)).toEqual(["one", "two"]);
    expect(summary.findings).toEqual({
      missing: ["images/gone.jpg"],
      unusable: [expect.stringMatching(/^images\/text\.jpg \(expected a JPEG, /)],
      duplicated: [],
      inTwoSplits: [],
      withoutCaptions: ["mute.jpg", "silent.png"],
      inNoSplit: ["images/spare.jpg"],
      wordless: [],
    });
    expect(prepared.said).toContain("1 photo missing, with captions but no file: images/gone.jpg\n");
    expect(prepared.said).toContain("2 photos without captions, not used: mute.jpg, silent.png\n");
  });

  test("that stand in two splits by name or by their bytes, and keeps them out of training", async () => {
    const names = ["one.jpg", "two.jpg", "both.jpg", "copy.jpg", "twin.jpg"];
    const data = await makeFlickr8k({
      tokens: names.flatMap((name) => tokensOf(name)).join("\n"),
      train: ["one.jpg", "both.jpg", "copy.jpg", "twin.jpg", "twin.jpg"],
      test: ["both.jpg"],
      photos: names,
    });
    await writeFile(join(data, "images/copy.jpg"), await readFile(join(data, "images/two.jpg")));
    await writeFile(join(data, "images/twin.jpg"), await readFile(join(data, "images/one.jpg")));
    const { summary, photos } = await readPrepared(await runPrepare({ data }));
    expect(photos.map(({ id, split }) => `${id} ${split}`)).toEqual([
      "one train",
      "two dev",
      "both test",
      "twin train",
    ]);
    expect(summary.findings).toMatchObject({
      duplicated: ["twin.jpg (twice in Flickr_8k.trainImages.txt)", "images/twin.jpg (a copy of images/one.jpg)"],
      inTwoSplits: [
        "images/both.jpg (train and test; kept for test)",
        "images/copy.jpg (train, a copy of images/two.jpg; kept for dev)",
      ],
    });
  });

  test("by the first three names and the number of the others", async () => {
    const names = ["c.jpg", "d.jpg", "e.jpg", "f.jpg", "g.jpg"];
    const tokens = ["one.jpg", ...names].flatMap((name) => tokensOf(name)).join("\n");
    const { said } = await runPrepare({ data: await makeFlickr8k({ tokens }) });
    expect(said).toContain(": images/c.jpg, images/d.jpg, images/e.jpg and 2 more\n");
  });
});

test("a word counts that is seen ten times, or twice in a few captions that training goes on with", async () => {
  const data = await makeFlickr8k();
  const { summary } = await readPrepared(await runPrepare({ data, minCount: undefined, from: tinyBundle }));
  expect(summary.minCount).toBe(2);
  await expect(runPrepare({ data, minCount: undefined })).rejects.toThrow("words seen 10 times or more");
});

describe("stops with a sentence that says what to do", () => {
  test.each([
    [
      "where too few words are seen often enough",
      { minCount: 3 },
      "expected at least 10 words seen 3 times or more in the training captions, found 5 in 3 captions: lower --min-count",
    ],
    ["where there are fewer captions than that", { minCount: 4 }, "found 0 in 3 captions: lower --min-count, or add"],
  ])("%s", async (_, settings, message) => {
    await expect(runPrepare({ data: await makeFlickr8k(), ...settings })).rejects.toThrow(message);
  });

  test("where no photo is for training", async () => {
    const data = await makeFlickr8k({ train: [] });
    await expect(runPrepare({ data })).rejects.toThrow("found none: put some photos into the split train");
  });

  test("where no photo is there", async () => {
    const data = await makeFlickr8k({ photos: [] });
    await expect(runPrepare({ data })).rejects.toThrow(
      `expected the photos in ${data}, found none, not even images/one.jpg`,
    );
  });

  test("where the data are of another kind", async () => {
    const data = join(await temporaryFolder(), "captions.csv");
    await writeFile(data, "place,name\n");
    await expect(runPrepare({ data })).rejects.toThrow("expected Flickr8k's layout, ");
  });

  test("where there is not one caption", async () => {
    await expect(runPrepare({ data: await makeJsonl([]) })).rejects.toThrow(
      "expected photos with captions, found none",
    );
  });
});

describe("a second run", () => {
  test("passes over what is up to date", async () => {
    const prepared = await runPrepare({ data: await makeFlickr8k() });
    const { said } = await runPrepare(prepared);
    expect(said).toBe(`prepare: up to date in ${join(prepared.out, "prepare")}\n`);
  });

  test.each<[string, (places: { data: string; out: string }) => Promise<unknown>]>([
    ["a caption", ({ data }) => appendFile(join(data, "Flickr8k.token.txt"), "\none.jpg#3\tA cat .")],
    ["a split", ({ data }) => writeFile(join(data, "Flickr_8k.testImages.txt"), "two.jpg")],
    ["a photo's bytes", ({ data }) => appendFile(join(data, "images/one.jpg"), "more")],
    ["a photo's time", ({ data }) => utimes(join(data, "images/two.jpg"), 1, 1)],
    ["a result", ({ out }) => writeFile(join(out, "prepare/vocabulary.json"), "[]")],
    ["the record", ({ out }) => writeFile(join(out, "prepare/settings.json"), "{}")],
  ])("does it again after a change of %s", async (_, change) => {
    const data = await makeFlickr8k();
    const prepared = await runPrepare({ data });
    await change({ ...prepared, data });
    expect((await runPrepare(prepared)).said).toContain("training photos");
    await readPrepared(prepared);
  });

  test("does it again with other settings", async () => {
    const prepared = await runPrepare({ data: await makeFlickr8k() });
    await runPrepare({ ...prepared, minCount: 1 });
    expect((await readPrepared(prepared)).summary.minCount).toBe(1);
  });
});

test("the next stage refuses results of which a part is missing or changed", async () => {
  const prepared = await runPrepare({ data: await makeFlickr8k() });
  await writeFile(join(prepared.out, "prepare/captions.jsonl"), "");
  const request = { ...prepared, settings: defaultSettings };
  await expect(runStages([features], request)).rejects.toThrow("run the stage prepare first");
  await expect(runStages([features], { ...request, out: await temporaryFolder() })).rejects.toThrow(
    "run the stage prepare first",
  );
});
