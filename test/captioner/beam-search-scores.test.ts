import { describe, expect, test } from "vitest";
import { type SearchSettings, searchCaptions } from "../../captioner/beam-search.ts";
import { allCaptions, madeLanguage, nextWords, photos, repetitionsOf, settings } from "./made-language.ts";

describe("with word evidence", () => {
  const evidenceOf = (photo: number, word: number) => ((photo * 7 + word * 5) % 9) / 2 - 2;

  test("finds the caption whose log-probability and evidence together are highest", async () => {
    const options = photos.map(() => ({ beam: 10, candidates: 1 }));
    const input = { features: Float32Array.from(photos), options };
    const found = await searchCaptions(madeLanguage(5, evidenceOf), input, settings);
    const best = photos.map((photo) => {
      const worth = ({ words, score }: { words: number[]; score: number }) => {
        const said = words.length < settings.maxWords ? [...words, settings.endId] : words;
        const sum = said.reduce((total, word) => total + evidenceOf(photo, word), 0);
        return score + sum / (words.length + 1) ** settings.lengthPenalty;
      };
      return allCaptions(photo, 5).toSorted((one, other) => worth(other) - worth(one))[0]?.words;
    });
    const usual = photos.map((photo) => allCaptions(photo, 5)[0]?.words);
    expect(best.filter((words, index) => words?.join() !== usual[index]?.join()).length).toBeGreaterThan(10);
    const same = found.filter(([caption], index) => caption?.words.join() === best[index]?.join());
    expect(same.length).toBeGreaterThanOrEqual(38);
  });

  test("gives every word the probability that the decoder gives it", async () => {
    const options = photos.map(() => ({ beam: 3, candidates: 3 }));
    const input = { features: Float32Array.from(photos), options };
    const found = await searchCaptions(madeLanguage(30, evidenceOf), input, settings);
    for (const [index, captions] of found.entries()) {
      for (const { words, wordLogProbs, logProb } of captions) {
        const said = words.length < settings.maxWords ? [...words, settings.endId] : words;
        const expected = said.map((word, place) => {
          const before = [photos[index] ?? 0, settings.startId, ...words.slice(0, place)];
          return nextWords(before, 30)[word] ?? Number.NaN;
        });
        for (const [place, value] of expected.entries()) expect(wordLogProbs[place]).toBeCloseTo(value, 5);
        expect(logProb).toBeCloseTo(
          expected.reduce((sum, value) => sum + value, 0),
          4,
        );
      }
    }
  });

  test("does not count for a word that is said again, where that costs", async () => {
    const options = photos.map(() => ({ beam: 3, candidates: 1 }));
    const input = { features: Float32Array.from(photos), options };
    const favourite = (_: number, word: number) => (word === 5 ? 4 : 0);
    const repeating = async (repetition?: SearchSettings["repetition"]) =>
      (await searchCaptions(madeLanguage(8, favourite), input, { ...settings, repetition })).flat();
    const often = (await repeating()).filter(({ words }) => repetitionsOf(words) > 0).length;
    const seldom = (await repeating({ penalty: 2, except: [] })).filter(({ words }) => repetitionsOf(words) > 0).length;
    const without = (
      await searchCaptions(madeLanguage(8), input, { ...settings, repetition: { penalty: 2, except: [] } })
    )
      .flat()
      .filter(({ words }) => repetitionsOf(words) > 0).length;
    expect(often).toBeGreaterThan(20);
    expect(seldom).toBeLessThanOrEqual(without + 4);
  });
});

describe("where repetition costs", () => {
  const penalized = { ...settings, repetition: { penalty: 1, except: [] } };
  const search = (vocabularySize: number, beam: number, changed: SearchSettings) =>
    searchCaptions(
      madeLanguage(vocabularySize),
      { features: Float32Array.from(photos), options: photos.map(() => ({ beam, candidates: 1 })) },
      changed,
    );

  test("finds the best of all captions by what they are then worth", async () => {
    const found = await search(5, 10, penalized);
    const best = photos.map((photo) => {
      const worth = ({ words, score }: { words: number[]; score: number }) =>
        score - repetitionsOf(words) / (words.length + 1) ** settings.lengthPenalty;
      return allCaptions(photo, 5).toSorted((one, other) => worth(other) - worth(one))[0]?.words;
    });
    const same = found.filter(([caption], index) => caption?.words.join() === best[index]?.join());
    expect(same.length).toBeGreaterThanOrEqual(38);
  });

  test.each([1, 3])("says no word twice at a price that nothing is worth, with beam %i", async (beam) => {
    const usual = (await search(8, beam, settings)).flat();
    expect(usual.filter(({ words }) => repetitionsOf(words) > 0).length).toBeGreaterThan(5);
    const dear = (await search(8, beam, { ...settings, repetition: { penalty: 100, except: [] } })).flat();
    expect(dear).toHaveLength(photos.length);
    for (const { words } of dear) expect(repetitionsOf(words)).toBe(0);
  });

  test("lets words be said again that are excepted, and leaves probabilities as the model has them", async () => {
    const except = [3, 4, 5, 6, 7];
    expect(await search(8, 3, { ...settings, repetition: { penalty: 100, except } })).toEqual(
      await search(8, 3, settings),
    );
    for (const { wordLogProbs, logProb } of (await search(8, 3, penalized)).flat()) {
      expect(wordLogProbs.reduce((sum, value) => sum + value, 0)).toBeCloseTo(logProb, 9);
    }
  });
});
