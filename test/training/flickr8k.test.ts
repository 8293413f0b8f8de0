import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readPrepared } from "../../training/prepared.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { isResearchDataThere, researchData } from "../fixtures/research-data.ts";
import { oneSource } from "./made-dataset.ts";
import { train } from "./run-prepare.ts";

const data = `${researchData}flickr8k`;

describe.skipIf(!isResearchDataThere)("on Flickr8k (needs ../shared)", () => {
  test("prepare with the tutorial cleaning gives the tutorial's numbers", async () => {
    const out = await temporaryFolder();
    const { code, stdout, stderr } = await train("prepare", "--data", data, "--out", out, "--cleaning", "tutorial");
    expect(code).toBe(0);
    const { summary, vocabulary, photos } = await readPrepared({ data: oneSource(data), out });
    expect(summary).toMatchObject({
      ...{ photos: 8092, words: 8763, trainingPhotos: 6000, trainingCaptions: 30_000, trainingWords: 7578 },
      ...{ keptWords: 1651, vocabularySize: 1652, longestCaption: 34, devPhotos: 1000, testPhotos: 1000 },
      emptyCaptions: 0,
    });
    expect(stdout.match(/\d+$/gm)?.map(Number)).toEqual([8092, 8763, 6000, 30_000, 7578, 1651, 1652, 34, 1000, 1000]);
    expect(stderr).toContain("1 photo missing, with captions but no file: images/2258277193_586949ec62.jpg\n");
    expect(summary.findings).toMatchObject({ unusable: [], inTwoSplits: [], withoutCaptions: [] });
    expect(vocabulary.words.slice(0, 8)).toEqual(["", "startseq", "child", "in", "pink", "dress", "is", "climbing"]);
    expect(photos).toHaveLength(8000);
  });

  test("prepare makes the vocabulary of the first model, and GloVe knows most of it", async () => {
    const out = await temporaryFolder();
    const glove = `${researchData}glove/glove.6B.100d.flickr8k.txt.gz`;
    const { stderr } = await train("prepare", "--data", data, "--out", out, "--word-vectors", glove);
    const { vocabulary, summary } = await readPrepared({ data: oneSource(data), out });
    expect(vocabulary.words).toEqual(JSON.parse(readFileSync(`${researchData}model-v1/vocabulary.json`, "utf8")));
    expect(summary).toMatchObject({ cleaning: "natural", vocabularySize: 1654, longestCaption: 37 });
    expect(stderr).toContain("1642 of 1653 words have a vector of 100 dimensions\n");
  });
});
