import type { SearchSettings } from "../captioner/beam-search.ts";
import type { Bundle } from "../captioner/bundle.ts";
import type { Manifest } from "../shared/manifest.ts";

/** float32 [featureSize] and the words so far, start included → float32 [vocabularySize]. */
export type NextWord = (features: Float32Array, prefix: readonly number[]) => Promise<Float32Array>;

/** A bundle without its word detectors, which the tutorial's search does not know. */
export function withoutEvidence(bundle: Bundle): Bundle {
  return { ...bundle, readEvidence: () => undefined };
}

/** How our search is asked for the captions of the tutorial's, which knows no cost for what is said again. */
export function tutorialSettings({ specialIds, search }: Pick<Manifest, "specialIds" | "search">): SearchSettings {
  const { lengthPenalty, maxWords } = search;
  return { lengthPenalty, maxWords, startId: specialIds.start, endId: specialIds.end };
}

/** The tutorial's greedy search, which runs the whole padded prefix for every word. Word ids without start and end. */
export async function tutorialSearch(
  nextWord: NextWord,
  features: Float32Array,
  { specialIds, search }: Pick<Manifest, "specialIds" | "search">,
): Promise<number[]> {
  const words: number[] = [];
  while (words.length < search.maxWords) {
    const probabilities = await nextWord(features, [specialIds.start, ...words]);
    const best = mostProbable(probabilities, specialIds);
    if (best === specialIds.end) break;
    words.push(best);
  }
  return words;
}

/** Padding and start are no words. */
function mostProbable(probabilities: Float32Array, { padding, start }: Manifest["specialIds"]): number {
  let best = -1;
  let highest = -1;
  for (const [word, probability] of probabilities.entries()) {
    if (probability <= highest || word === padding || word === start) continue;
    best = word;
    highest = probability;
  }
  return best;
}
