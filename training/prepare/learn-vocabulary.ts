import { cleanCaption } from "../../shared/clean-caption.ts";
import { buildVocabulary, type Vocabulary } from "../../shared/vocabulary.ts";
import type { Dataset, Split } from "../dataset.ts";
import type { PreparedPhoto, Summary } from "../prepared.ts";
import type { TrainSettings } from "../settings.ts";

/** Minimum number of words besides padding, start and end: fewer make no captions worth reading. */
const fewestWords = 10;
const specialWords = 3;

interface LearntVocabulary {
  vocabulary: Vocabulary;
  figures: Omit<Summary, "dropped" | "findings" | "hasSplits" | "sources">;
}

/**
 * Minimum count if training continues from a model on few captions: a word that occurs once may be a typing error.
 */
const minCountOfFew = 2;
const mostCaptionsOfFew = 1500;
const minCountOfMany = 10;

/** Returns how often a word must occur to be learnt, unless set. */
function minCountOf({ captions, known }: { captions: number; known: Vocabulary | undefined }): number {
  return known !== undefined && captions <= mostCaptionsOfFew ? minCountOfFew : minCountOfMany;
}

interface LearnSettings extends Pick<TrainSettings, "cleaning" | "minCount"> {
  prepared: readonly PreparedPhoto[];
  /** Words of the model that training continues from. */
  known?: Vocabulary | undefined;
}

/** Builds the vocabulary of the training captions. */
export function learnVocabulary(
  dataset: Dataset,
  { prepared, known, cleaning, ...asked }: LearnSettings,
): LearntVocabulary {
  const inSplit = (split: Split) => prepared.filter((photo) => photo.split === split);
  const training = inSplit("train").flatMap(({ captions }) => captions.map(({ words }) => words));
  const minCount = asked.minCount ?? minCountOf({ captions: training.length, known });
  const vocabulary = buildOrExplain(training, { minCount, known });
  const allCaptions = dataset.photos.flatMap(({ captions }) => captions);
  return {
    vocabulary,
    figures: {
      cleaning,
      minCount,
      photos: dataset.photos.length,
      words: countDifferent(allCaptions.map((text) => cleanCaption(text, cleaning))),
      trainingPhotos: inSplit("train").length,
      trainingCaptions: training.length,
      trainingWords: countDifferent(training) + 2, // start and end
      keptWords: vocabulary.size - 1, // padding
      vocabularySize: vocabulary.size,
      longestCaption: training.reduce((longest, { length }) => Math.max(longest, length + 2), 0),
      emptyCaptions: training.filter(({ length }) => length === 0).length,
      devPhotos: inSplit("dev").length,
      testPhotos: inSplit("test").length,
    },
  };
}

/** Builds the vocabulary, or throws a sentence of advice if it would be too small to learn. */
function buildOrExplain(
  training: readonly string[][],
  { minCount, known }: { minCount: number; known: Vocabulary | undefined },
): Vocabulary {
  if (training.length === 0) {
    throw new Error("expected captions of photos for training, found none: put some photos into the split train");
  }
  // the start word is in every caption, so with fewer captions it would not be kept itself
  const isKept = training.length >= minCount || known !== undefined;
  const vocabulary = isKept ? buildVocabulary(training, { minCount, known }) : undefined;
  const found = vocabulary === undefined ? 0 : vocabulary.size - specialWords;
  if (vocabulary !== undefined && found >= fewestWords) return vocabulary;
  throw new Error(
    `expected at least ${fewestWords} words seen ${minCount} times or more in the training captions, found ${found} in ` +
      `${training.length} captions: lower --min-count, or add captions`,
  );
}

function countDifferent(captions: readonly (readonly string[])[]): number {
  return new Set(captions.flat()).size;
}
