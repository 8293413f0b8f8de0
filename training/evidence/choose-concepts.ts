import type { Vocabulary } from "../../shared/vocabulary.ts";
import { singularOf, thingWords } from "../score/content-words.ts";

/** A training photo, as far as word detectors learn from it. */
export interface DescribedPhoto {
  /** Cleaned words of each caption that people wrote for it. */
  captions: readonly (readonly string[])[];
  /** Its words with their probabilities, for a photo without captions. */
  words?: ReadonlyMap<string, number>;
}

/** What detectors learn: for each photo the concepts it shows. */
export interface ConceptTargets {
  /** What is detected, named by its word in the singular. */
  concepts: readonly string[];
  /** For each photo, probabilities that its captions name a concept, by the concept's index; 0 for those not listed. */
  targets: readonly ReadonlyMap<number, number>[];
  /** For photos with words: whether their labeller can give a concept's word, so that its absence says something. */
  isLabelled: readonly boolean[];
}

/**
 * A concept that a photo shows is named by some of its captions only. Named by so many of five, it counts as certain.
 */
const captionsOfCertain = 2.5;

/** Photos that must show a concept, each by its probability. Fewer teach a detector nothing that holds elsewhere. */
const fewestPhotos = 15;

/**
 * Chooses the concepts to detect: words of the vocabulary that name neither people nor relations, singular and plural as
 * one, as long as enough photos show them.
 */
export function chooseConcepts(photos: readonly DescribedPhoto[], vocabulary: Vocabulary): ConceptTargets {
  const conceptOf = conceptsOf(vocabulary);
  const shown = photos.map((photo) => shownBy(photo, conceptOf));
  const count = new Map<string, number>();
  for (const own of shown) {
    for (const [concept, target] of own) count.set(concept, (count.get(concept) ?? 0) + target);
  }
  const concepts = [...count].flatMap(([concept, times]) => (times >= fewestPhotos ? [concept] : [])).toSorted();
  const indexOf = new Map(concepts.map((concept, index) => [concept, index]));
  const labelled = new Set(
    photos.flatMap(({ words }) => [...(words?.keys() ?? [])]).flatMap((word) => conceptOf.get(word) ?? []),
  );
  return {
    concepts,
    targets: shown.map(
      (own) =>
        new Map(
          [...own].flatMap(([concept, target]): [number, number][] => {
            const index = indexOf.get(concept);
            return index === undefined ? [] : [[index, target]];
          }),
        ),
    ),
    isLabelled: concepts.map((concept) => labelled.has(concept)),
  };
}

/** Lists the words of a vocabulary that name a concept, with its name: the singular, where the vocabulary has it. */
export function conceptsOf(vocabulary: Vocabulary): ReadonlyMap<string, string> {
  const { startId, endId } = vocabulary;
  const words = vocabulary.words.filter((word, id) => word !== "" && id !== startId && id !== endId);
  return new Map(
    thingWords(words).map((word) => {
      const singular = singularOf(word);
      return [word, vocabulary.idOf(singular) === undefined ? word : singular];
    }),
  );
}

function shownBy(
  { captions, words }: DescribedPhoto,
  conceptOf: ReadonlyMap<string, string>,
): ReadonlyMap<string, number> {
  const shown = new Map<string, number>();
  if (words !== undefined) {
    for (const [word, probability] of words) {
      const concept = conceptOf.get(word);
      if (concept !== undefined) shown.set(concept, Math.max(shown.get(concept) ?? 0, probability));
    }
    return shown;
  }
  for (const caption of captions) {
    for (const concept of new Set(caption.flatMap((word) => conceptOf.get(word) ?? []))) {
      shown.set(concept, Math.min(1, (shown.get(concept) ?? 0) + 1 / captionsOfCertain));
    }
  }
  return shown;
}
