import type { SearchSettings } from "../../captioner/beam-search.ts";
import type { Engine } from "../../captioner/engine.ts";
import { seededRandom } from "../fixtures/seeded-random.ts";

export const settings: SearchSettings = { lengthPenalty: 0.7, maxWords: 4, startId: 1, endId: 2 };

/** A language of made probabilities: what comes next depends on the photo and on every word before, as in a real decoder. */
export function madeLanguage(
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

export function nextWords(history: readonly number[], vocabularySize: number): number[] {
  const random = seededRandom(history.reduce((hash, value) => Math.imul(hash, 31) + value * 7919, 17));
  const weights = Array.from({ length: vocabularySize }, () => Math.exp(4 * random()));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => Math.log(weight / sum));
}

/** Words by their score, best first, padding and start left out. */
export function ranked(scores: readonly number[]): { word: number; score: number }[] {
  const words = scores.map((score, word) => ({ word, score })).slice(2);
  return words.sort((one, other) => other.score - one.score);
}

/** Every caption there is, with its score, best first. */
export function allCaptions(photo: number, vocabularySize: number): { words: number[]; score: number }[] {
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

export const photos = Array.from({ length: 40 }, (_, photo) => photo + 3);

/** How often words stand in a caption that stand there already. */
export function repetitionsOf(words: readonly number[]): number {
  return words.length - new Set(words).size;
}
