import { describe, expect, test } from "vitest";
import { searchCaptions } from "../../captioner/beam-search.ts";
import { allCaptions, madeLanguage, nextWords, photos, ranked, settings } from "./made-language.ts";

describe("searchCaptions", () => {
  test("finds the best of all captions when the beam has room for every beginning", async () => {
    const features = Float32Array.from(photos);
    // padding, start, end and two words: 2 + 4 + 8 beginnings, of which a beam of 10 loses none of weight
    const found = await searchCaptions(
      madeLanguage(5),
      { features, options: photos.map(() => ({ beam: 10, candidates: 1 })) },
      settings,
    );
    const best = photos.map((photo) => allCaptions(photo, 5)[0]?.words);
    const same = found.filter(([caption], index) => caption?.words.join() === best[index]?.join());
    expect(same.length).toBeGreaterThanOrEqual(38);
  });

  test("is greedy search at beam 1", async () => {
    const features = Float32Array.from(photos);
    const found = await searchCaptions(
      madeLanguage(30),
      { features, options: photos.map(() => ({ beam: 1, candidates: 1 })) },
      settings,
    );
    for (const [index, photo] of photos.entries()) {
      const words: number[] = [];
      while (words.length < settings.maxWords) {
        const scores = nextWords([photo, settings.startId, ...words], 30);
        const [best] = ranked(scores);
        if (best === undefined || best.word === settings.endId) break;
        words.push(best.word);
      }
      expect(found[index]).toEqual([expect.objectContaining({ words })]);
    }
  });

  test("gives a photo the same captions alone and beside photos of other widths", async () => {
    const language = madeLanguage(30);
    const options = photos.map((photo) => ({ beam: (photo % 10) + 1, candidates: 1 }));
    const together = await searchCaptions(language, { features: Float32Array.from(photos), options }, settings);
    for (const [index, photo] of photos.entries()) {
      const alone = await searchCaptions(
        language,
        { features: Float32Array.of(photo), options: options.slice(index, index + 1) },
        settings,
      );
      expect(alone).toEqual([together[index]]);
    }
  });

  test("gives as many different candidates as asked, best first, with the probability of every word", async () => {
    const options = photos.map(() => ({ beam: 7, candidates: 5 }));
    const found = await searchCaptions(madeLanguage(30), { features: Float32Array.from(photos), options }, settings);
    for (const captions of found) {
      expect(new Set(captions.map(({ words }) => words.join())).size).toBe(5);
      const scores = captions.map(({ logProb, words }) => logProb / (words.length + 1) ** settings.lengthPenalty);
      expect(scores).toEqual(scores.toSorted((one, other) => other - one));
      for (const { words, wordLogProbs, logProb } of captions) {
        expect(words.length).toBeLessThanOrEqual(settings.maxWords);
        expect(words).not.toContain(0);
        expect(words).not.toContain(settings.startId);
        expect(words).not.toContain(settings.endId);
        expect(wordLogProbs).toHaveLength(words.length + (words.length < settings.maxWords ? 1 : 0));
        expect(wordLogProbs.reduce((sum, value) => sum + value, 0)).toBeCloseTo(logProb, 9);
      }
    }
  });

  test("runs the beams of all photos as one matrix, and none that has ended", async () => {
    const language = madeLanguage(30);
    const options = [
      { beam: 3, candidates: 1 },
      { beam: 1, candidates: 1 },
    ];
    await searchCaptions(language, { features: Float32Array.of(3, 4), options }, settings);
    expect(language.rowsPerStep[0]).toBe(2);
    expect(Math.max(...language.rowsPerStep)).toBeLessThanOrEqual(4);
    expect(language.rowsPerStep.length).toBeLessThanOrEqual(settings.maxWords);
  });

  test("does not replace a beam that has ended: from the second word on there are never more", async () => {
    const ends: number[] = [];
    for (const photo of photos) {
      const language = madeLanguage(30);
      const input = { features: Float32Array.of(photo), options: [{ beam: 6, candidates: 6 }] };
      const [found = []] = await searchCaptions(language, input, settings);
      const [, ...rows] = language.rowsPerStep;
      expect(rows).toEqual(rows.toSorted((one, other) => other - one));
      expect(found).toHaveLength(6);
      ends.push(rows.at(-1) ?? 0);
    }
    expect(Math.min(...ends)).toBeLessThan(6); // some did end early, or nothing was shown
  });

  describe("with a limit of words", () => {
    const long = { ...settings, maxWords: 20, danglingIds: new Set([3, 4, 5, 6, 7, 8]) };
    const isDangling = (word: number | undefined) => word !== undefined && long.danglingIds.has(word);
    const search = (limit: { maxWords?: number }, beam = 4) =>
      searchCaptions(
        madeLanguage(30),
        { features: Float32Array.from(photos), options: photos.map(() => ({ beam, candidates: beam, ...limit })) },
        long,
      );

    test.each([1, 4])("ends near it and never with a word that cannot end a sentence, with beam %i", async (beam) => {
      const usual = (await search({}, beam)).flat();
      expect(usual.filter(({ words }) => words.length > 8).length).toBeGreaterThan(10);
      expect(usual.some(({ words }) => isDangling(words.at(-1)))).toBe(true);
      const limited = (await search({ maxWords: 5 }, beam)).flat();
      for (const { words, wordLogProbs, logProb } of limited) {
        expect(words.length).toBeLessThanOrEqual(8);
        expect(isDangling(words.at(-1))).toBe(false);
        expect(wordLogProbs.reduce((sum, value) => sum + value, 0)).toBeCloseTo(logProb, 9);
      }
      const isWithin = limited.filter(({ words }) => words.length <= 5).length;
      expect(isWithin).toBeGreaterThan(limited.length / 2);
    });

    test("changes nothing where the captions are shorter, and nothing for other photos of the batch", async () => {
      const usual = await search({});
      const options = photos.map((_, index) => ({ beam: 4, candidates: 4, ...(index % 2 ? { maxWords: 5 } : {}) }));
      const mixed = await searchCaptions(madeLanguage(30), { features: Float32Array.from(photos), options }, long);
      const limited = await search({ maxWords: 5 });
      expect(mixed).toEqual(photos.map((_, index) => (index % 2 ? limited[index] : usual[index])));
    });
  });
});
