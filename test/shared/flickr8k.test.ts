import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Cleaning, cleanCaption, imageIdOf } from "../../shared/clean-caption.ts";
import { buildVocabulary, parseVocabulary } from "../../shared/vocabulary.ts";
import { isResearchDataThere, researchData } from "../fixtures/research-data.ts";

function readLines(path: string): string[] {
  return readFileSync(`${researchData}${path}`, "utf8").trim().split("\n");
}

/** Cleaned captions of all photos and of the training photos, in the order of the token file. */
function readCaptions(cleaning: Cleaning) {
  const trainingIds = new Set(readLines("flickr8k/Flickr_8k.trainImages.txt").map(imageIdOf));
  const all = readLines("flickr8k/Flickr8k.token.txt").map((line) => {
    const [name = "", text = ""] = line.split("\t");
    return { photo: imageIdOf(name), words: cleanCaption(text, cleaning) };
  });
  const training = all.filter(({ photo }) => trainingIds.has(photo));
  return {
    all,
    training,
    vocabulary: buildVocabulary(
      training.map(({ words }) => words),
      { minCount: 10 },
    ),
  };
}

function countDifferent(captions: { words: string[] }[]): number {
  return new Set(captions.flatMap(({ words }) => words)).size;
}

function longestWithStartAndEnd(captions: { words: string[] }[]): number {
  return Math.max(...captions.map(({ words }) => words.length + 2));
}

describe.skipIf(!isResearchDataThere)("on Flickr8k (needs ../shared)", () => {
  test("the tutorial cleaning gives the tutorial's counts and ids", () => {
    const { all, training, vocabulary } = readCaptions("tutorial");
    expect(new Set(all.map(({ photo }) => photo)).size).toBe(8092);
    expect(countDifferent(all)).toBe(8763);
    expect(new Set(training.map(({ photo }) => photo)).size).toBe(6000);
    expect(training).toHaveLength(30_000);
    expect(countDifferent(training) + 2).toBe(7578); // with start and end
    expect(vocabulary.size).toBe(1652); // with padding
    expect(longestWithStartAndEnd(training)).toBe(34);
    expect(vocabulary.words.slice(0, 21).join(" ")).toBe(
      " startseq child in pink dress is climbing up set of stairs an way endseq girl going into wooden building little",
    );
    expect(vocabulary).toMatchObject({ startId: 1, endId: 14 });
  });

  test("the natural cleaning gives the vocabulary that the first model was trained with", () => {
    const { training, vocabulary } = readCaptions("natural");
    const trained = parseVocabulary(JSON.parse(readFileSync(`${researchData}model-v1/vocabulary.json`, "utf8")));
    expect(vocabulary.words).toEqual(trained.words);
    expect(vocabulary).toMatchObject({ size: 1654, startId: 1, endId: 15 });
    expect(longestWithStartAndEnd(training)).toBe(37);
  });
});
