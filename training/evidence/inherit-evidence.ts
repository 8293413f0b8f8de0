import { type Bundle, withFileName } from "../../captioner/bundle.ts";
import { joinRows, meanOf, rowsOf } from "../../captioner/vectors.ts";
import { readFeatures } from "../features/photo-features.ts";
import type { ModelFiles } from "../layers-format.ts";
import type { Prepared } from "../prepared.ts";
import type { Rehearsal } from "../rehearsal.ts";
import type { TrainContext } from "../stage.ts";
import { type EvidenceNetwork, readEvidenceNetwork, toEvidenceFiles } from "./evidence-network.ts";

/** Maximum number of training photos that are looked at for what new words mean. */
const mostPhotos = 1000;

/** In nats: a concept whose evidence is not higher by so much on a new word's photos does not stand for the word. */
const leastLift = 0.5;

interface InheritedParts {
  /** The bundle that training continues from. */
  bundle: Bundle;
  rehearsal: Rehearsal | undefined;
  prepared: Prepared;
}

/** Returns the word detectors of the bundle that training continues from, for the words of the new vocabulary. */
export async function inheritEvidence(
  context: TrainContext,
  { bundle, rehearsal, prepared }: InheritedParts,
): Promise<ModelFiles | undefined> {
  const model = bundle.readEvidence();
  if (model === undefined) return undefined;
  const known = withFileName(bundle.folder, () => readEvidenceNetwork(model));
  const { vocabulary, photos } = prepared;
  const newWords = vocabulary.words.slice(known.vocabularySize);
  const sayNew = photos.filter(
    ({ split, captions }) =>
      split === "train" && captions.some(({ words }) => words.some((word) => newWords.includes(word))),
  );
  const read = await readFeatures(context, { photos: sayNew.slice(0, mostPhotos) });
  const described = rowsOf(read.features, Math.max(1, read.photos.length)).map((features, index) => ({
    features,
    words: new Set(read.photos[index]?.captions.flatMap(({ words }) => words)),
  }));
  const rehearsed = rehearsal === undefined ? [] : rowsOf(rehearsal.features, rehearsal.captions.length);
  return toEvidenceFiles(extendEvidence(known, { newWords, described, others: rehearsed }));
}

interface NewWords {
  newWords: readonly string[];
  /** Photos whose captions say new words. */
  described: readonly { features: Float32Array; words: ReadonlySet<string> }[];
  /** Features of photos whose captions say none. */
  others: readonly Float32Array[];
}

/**
 * Adds words to the network. A new word gets the evidence of the concept that its photos show most, compared with all
 * others: otherwise the words that the detectors know would outbid it. A name for a dog so counts as much as "dog".
 */
export function extendEvidence(known: EvidenceNetwork, { newWords, described, others }: NewWords): EvidenceNetwork {
  const wordOf = wordsOfConcepts(known);
  const detect = (photos: readonly Float32Array[]) => photos.map((photo) => detectConcepts(known, photo));
  const shown = detect(described.map(({ features }) => features));
  const shownElsewhere = detect(others);
  const likeness = newWords.map((word) => {
    const saysIt = described.map(({ words }) => words.has(word));
    const its = meanOf(shown.filter((_, index) => saysIt[index]));
    const elsewhere = meanOf([...shown.filter((_, index) => !saysIt[index]), ...shownElsewhere]);
    return elsewhere.length === 0 ? undefined : mostAlike(known, { wordOf, its, elsewhere });
  });
  return withWords(known, likeness);
}

/** A word for each concept: the first whose score depends on it. */
function wordsOfConcepts({ concepts, vocabularySize, words }: EvidenceNetwork): (number | undefined)[] {
  return rowsOf(words.kernel, concepts).map((row) => {
    const found = row.findIndex((gain) => gain > 0);
    return found === -1 || found >= vocabularySize ? undefined : found;
  });
}

/** Runs the detectors on a photo's features: float32 [concepts] within [0, 1]. */
function detectConcepts({ concepts, detectors }: EvidenceNetwork, features: Float32Array): Float32Array {
  const sums = Float64Array.from(detectors.bias);
  for (const [channel, value] of features.entries()) {
    const row = detectors.kernel.subarray(channel * concepts, (channel + 1) * concepts);
    for (let concept = 0; concept < concepts; concept++) {
      sums[concept] = (sums[concept] ?? 0) + value * (row[concept] ?? 0);
    }
  }
  return Float32Array.from(sums, (sum) => Math.min(1, Math.max(0, 0.2 * sum + 0.5)));
}

/** Finds the known word whose concept is shown most, compared with elsewhere, and more than not; undefined where none is. */
function mostAlike(
  { vocabularySize, words }: EvidenceNetwork,
  { wordOf, its, elsewhere }: { wordOf: readonly (number | undefined)[]; its: Float64Array; elsewhere: Float64Array },
): number | undefined {
  let best: { word: number; lift: number } | undefined;
  for (const [concept, word] of wordOf.entries()) {
    if (word === undefined) continue;
    const gain = words.kernel[concept * vocabularySize + word] ?? 0;
    const lift = gain * ((its[concept] ?? 0) - (elsewhere[concept] ?? 0));
    const evidence = (words.bias[word] ?? 0) + gain * (its[concept] ?? 0);
    if (evidence > 0 && lift > Math.max(leastLift, best?.lift ?? 0)) best = { word, lift };
  }
  return best?.word;
}

/** Appends a word for each entry, with the weights of the known word that it names, or none. */
function withWords(known: EvidenceNetwork, likeness: readonly (number | undefined)[]): EvidenceNetwork {
  const { concepts, words } = known;
  const kernel = rowsOf(words.kernel, concepts).map((row) =>
    Float32Array.from([...row, ...likeness.map((word) => (word === undefined ? 0 : (row[word] ?? 0)))]),
  );
  const bias = [...words.bias, ...likeness.map((word) => (word === undefined ? 0 : (words.bias[word] ?? 0)))];
  return {
    ...known,
    vocabularySize: known.vocabularySize + likeness.length,
    words: { kernel: joinRows(kernel), bias: Float32Array.from(bias) },
  };
}
