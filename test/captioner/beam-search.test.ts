import { describe, expect, test } from "vitest";
import { type SearchSettings, searchCaptions } from "../../captioner/beam-search.ts";
import type { Engine } from "../../captioner/engine.ts";
import { seededRandom } from "../fixtures/seeded-random.ts";

const settings: SearchSettings = { lengthPenalty: 0.7, maxWords: 4, startId: 1, endId: 2 };

/** A language of made probabilities: what comes next depends on the photo and on every word before, as in a real decoder. */
function madeLanguage(
  vocabularySize: number,
  evidenceOf: (photo: number, word: number) => number = () => 0,
): Pick<Engine, "begin" | "step"> & { rowsPerStep: number[] } {
  interface MadeState {
    histories: number[][];
    release(): void;
  }
  const rowsPerStep: number[] = [];
  return {
    rowsPerStep,
    begin: async (features): Promise<MadeState> => ({ histories: [...features].map((seed) => [seed]), release() {} }),
    async step(state, { parents, words, count }) {
      const before = (state as MadeState).histories; // the only state this language makes
      const histories = [...parents].map((parent, row) => [...(before[parent] ?? []), words[row] ?? 0]);
      rowsPerStep.push(histories.length);
      const best = histories.map((history) => {
        const evidence = (word: number) => evidenceOf(history[0] ?? 0, word);
        const scored = nextWords(history, vocabularySize).map((logProb, word) => logProb + evidence(word));
        return ranked(scored).slice(0, count);
      });
      const next: MadeState = { histories, release() {} };
      return {
        words: Int32Array.from(best.flat(), ({ word }) => word),
        logProbabilities: Float32Array.from(
          best.flatMap((words, row) =>
            words.map(({ word, score }) => score - evidenceOf(histories[row]?.[0] ?? 0, word)),
          ),
        ),
        scores: Float32Array.from(best.flat(), ({ score }) => score),
        state: next,
      };
    },
  };
}

function nextWords(history: readonly number[], vocabularySize: number): number[] {
  const random = seededRandom(history.reduce((hash, value) => Math.imul(hash, 31) + value * 7919, 17));
  const weights = Array.from({ length: vocabularySize }, () => Math.exp(4 * random()));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => Math.log(weight / sum));
}

/** Words by their score, best first, padding and start left out. */
function ranked(scores: readonly number[]): { word: number; score: number }[] {
  const words = scores.map((score, word) => ({ word, score })).slice(2);
  return words.sort((one, other) => other.score - one.score);
}

/** Every caption there is, with its score, best first. */
function allCaptions(photo: number, vocabularySize: number): { words: number[]; score: number }[] {
  const found: { words: number[]; score: number }[] = [];
  const extend = (words: number[], logProb: number) => {
    const scores = nextWords([photo, settings.startId, ...words], vocabularySize).map(Math.fround);
    for (let word = 2; word < vocabularySize; word++) {
      const total = logProb + (scores[word] ?? 0);
      if (word === settings.endId) found.push({ words, score: total / (words.length + 1) ** settings.lengthPenalty });
      else if (words.length + 1 === settings.maxWords) {
        found.push({ words: [...words, word], score: total / (settings.maxWords + 1) ** settings.lengthPenalty });
      } else extend([...words, word], total);
    }
  };
  extend([], 0);
  return found.sort((one, other) => other.score - one.score);
}

const photos = Array.from({ length: 40 }, (_, photo) => photo + 3);

/** How often words stand in a caption that stand there already. */
function repetitionsOf(words: readonly number[]): number {
  return words.length - new Set(words).size;
}

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
      const seldom = (await repeating({ penalty: 2, except: [] })).filter(
        ({ words }) => repetitionsOf(words) > 0,
      ).length;
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
});
