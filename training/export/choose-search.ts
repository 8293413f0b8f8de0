import { contentWords } from "../../shared/content-words.ts";
import type { Manifest } from "../../shared/manifest.ts";
import type { Vocabulary } from "../../shared/vocabulary.ts";
import { searchOf } from "../bundles.ts";
import type { Detectors } from "../evidence/detector-files.ts";
import { toEvidenceFiles } from "../evidence/evidence-network.ts";
import { evidenceOf } from "../evidence/strength.ts";
import type { PhotoFeatures } from "../features/photo-features.ts";
import { Scorer } from "../fit/scorer.ts";
import { type ModelFiles, parseModel } from "../layers-format.ts";
import type { PreparedPhoto } from "../prepared.ts";
import { searches } from "../score/score-captions.ts";
import type { TrainContext } from "../stage.ts";

/** Powers of the length that a caption's log-probability may be divided by. Epochs are compared at the usual 0.7. */
const lengthPenalties = [0.5, 0.7, 0.9, 1.1, 1.3];

/** With fewer dev photos the differences would be chance. */
export const fewestToChooseSearchBy = 200;

/** Times that word evidence may count, the least first. Length penalties are compared at 1. */
const strengths = [0, 0.5, 0.75, 1, 1.5];

/**
 * A weaker evidence is chosen if its CIDEr is within this of the best, about the standard error of such a difference on a
 * thousand photos: the one-standard-error rule of Breiman et al. 1984. Strong evidence says "a airplane".
 */
const nearlyAsGood = 0.01;

/** Cost of repeating a word, in nats: a caption that does is chosen if it is e² times as likely. */
const repetitionPenalty = 2;

/** A word may be repeated if at least this share of the captions that contain it have it twice, given this many captions. */
const repeatableShare = 0.15;
const fewestCaptions = 20;

interface SearchParts {
  dev: PhotoFeatures;
  /** The photos for training. */
  training: readonly PreparedPhoto[];
  /** Word detectors, where they were trained. */
  detectors: Detectors | undefined;
  decoder: ModelFiles;
  vocabulary: Vocabulary;
}

export interface ChosenSearch {
  search: Manifest["search"];
  /** The network of word detectors, where it improves captions. */
  evidence?: ModelFiles | undefined;
  /** How often its evidence counts, and what it detects. */
  strength?: number;
  concepts?: number;
}

/**
 * How whoever uses the bundle searches: with the length penalty whose captions have the highest CIDEr on dev, by the service's
 * default beam, with the least word evidence that is nearly as good as the best, and so that words are seldom repeated. If there is too little dev to
 * tell, the length penalty stays as it was, without evidence; if training continued from a bundle, or is the tutorial's, all
 * of it does.
 */
export async function chooseSearch(
  context: TrainContext,
  { dev, training, decoder, vocabulary, detectors }: SearchParts,
): Promise<ChosenSearch> {
  const usual = await searchOf(context);
  if (context.settings.from !== undefined || context.settings.preset === "tutorial") return { search: usual };
  const repetition = { penalty: repetitionPenalty, except: repeatableWords(training, vocabulary) };
  const search = { ...usual, repetition };
  if (dev.photos.length < fewestToChooseSearchBy) return { search };
  const score = async ({ search: tried, evidence }: ChosenSearch) => {
    const guide = evidence === undefined ? undefined : parseModel(evidence);
    const scorer = new Scorer(dev, { vocabulary, search: tried, evidence: guide });
    return (await scorer.score(decoder, searches["beam 3"])).scores.cider;
  };
  const guided = detectors === undefined ? {} : await guideBy(detectors, { vocabulary, strength: 1 });
  const byLength = lengthPenalties.map((lengthPenalty) => ({ search: { ...search, lengthPenalty }, ...guided }));
  const { tried: best, score: bestScore } = await highest(byLength, score);
  if (detectors === undefined) return best;
  const scored = [];
  for (const strength of strengths) {
    if (strength === best.strength) {
      scored.push({ tried: best, score: bestScore });
      continue;
    }
    const guide = strength === 0 ? {} : await guideBy(detectors, { vocabulary, strength });
    const tried: ChosenSearch = { search: best.search, ...guide };
    scored.push({ tried, score: await score(tried) });
  }
  const enough = Math.max(...scored.map((one) => one.score)) - nearlyAsGood;
  return scored.find((one) => one.score >= enough)?.tried ?? best;
}

/** Makes the word evidence of this strength. */
async function guideBy(
  detectors: Detectors,
  { vocabulary, strength }: { vocabulary: Vocabulary; strength: number },
): Promise<Pick<ChosenSearch, "evidence" | "strength" | "concepts">> {
  const evidence = await toEvidenceFiles(evidenceOf(detectors, { vocabulary, strength }));
  return { evidence, strength, concepts: detectors.concepts.length };
}

/** Finds what has the highest score; the first of equals. */
async function highest<Tried>(
  all: readonly Tried[],
  scoreOf: (tried: Tried) => Promise<number>,
): Promise<{ tried: Tried; score: number }> {
  let best: { tried: Tried; score: number } | undefined;
  for (const tried of all) {
    const score = await scoreOf(tried);
    if (best === undefined || score > best.score) best = { tried, score };
  }
  if (best === undefined) throw new Error("expected something to choose from, found nothing");
  return best;
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
