import { contentWords } from "../../shared/content-words.ts";
import type { Manifest } from "../../shared/manifest.ts";
import type { Vocabulary } from "../../shared/vocabulary.ts";
import { searchOf } from "../bundles.ts";
import type { PhotoFeatures } from "../features/photo-features.ts";
import { Scorer } from "../fit/scorer.ts";
import type { ModelFiles } from "../layers-format.ts";
import type { PreparedPhoto } from "../prepared.ts";
import { searches } from "../score/score-captions.ts";
import type { TrainContext } from "../stage.ts";

/** Powers of the length that a caption's log-probability may be divided by. Epochs are compared at the usual 0.7. */
const lengthPenalties = [0.5, 0.7, 0.9, 1.1, 1.3];

/** With fewer dev photos the differences would be chance. */
const fewestPhotos = 200;

/** Cost of repeating a word, in nats: a caption that does is chosen if it is e² times as likely. */
const repetitionPenalty = 2;

/** A word may be repeated if at least this share of the captions that contain it have it twice, given this many captions. */
const repeatableShare = 0.15;
const fewestCaptions = 20;

interface SearchParts {
  dev: PhotoFeatures;
  /** The photos for training. */
  training: readonly PreparedPhoto[];
  decoder: ModelFiles;
  vocabulary: Vocabulary;
}

/**
 * How whoever uses the bundle searches: with the length penalty whose captions have the highest CIDEr on dev, by the
 * service's default beam, and so that words are seldom repeated. If there is too little dev to tell, the length penalty stays
 * as it was; if training continued from a bundle, or is the tutorial's, all of it does.
 */
export async function chooseSearch(
  context: TrainContext,
  { dev, training, decoder, vocabulary }: SearchParts,
): Promise<Manifest["search"]> {
  const usual = await searchOf(context);
  if (context.settings.from !== undefined || context.settings.preset === "tutorial") return usual;
  const repetition = { penalty: repetitionPenalty, except: repeatableWords(training, vocabulary) };
  const search = { ...usual, repetition };
  if (dev.photos.length < fewestPhotos) return search;
  let best = { search, cider: Number.NEGATIVE_INFINITY };
  for (const lengthPenalty of lengthPenalties) {
    const tried = { ...search, lengthPenalty };
    const { scores } = await new Scorer(dev, { vocabulary, search: tried }).score(decoder, searches["beam 3"]);
    if (scores.cider > best.cider) best = { search: tried, cider: scores.cider };
  }
  return best.search;
}

/** Ids of words that say how a sentence is built, or that people often say twice in a caption, in whatever language. */
function repeatableWords(photos: readonly PreparedPhoto[], vocabulary: Vocabulary): number[] {
  const captions = new Map<string, number>();
  const repeated = new Map<string, number>();
  for (const { captions: own } of photos.filter(({ hasPseudoCaptions }) => hasPseudoCaptions === undefined)) {
    for (const { words } of own) {
      for (const word of new Set(words)) captions.set(word, (captions.get(word) ?? 0) + 1);
      const twice = words.filter((word, place) => words.indexOf(word) < place);
      for (const word of new Set(twice)) repeated.set(word, (repeated.get(word) ?? 0) + 1);
    }
  }
  return [...vocabulary.words.entries()].flatMap(([id, word]) => {
    const seen = captions.get(word) ?? 0;
    const isOften = seen >= fewestCaptions && (repeated.get(word) ?? 0) >= repeatableShare * seen;
    return isOften || (word !== "" && contentWords([word]).length === 0) ? [id] : [];
  });
}
