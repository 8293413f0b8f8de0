import { endWord } from "../../shared/vocabulary.ts";
import { type CiderVector, ciderOf, countDocuments, type DocumentFrequencies, weighNgrams } from "../score/cider.ts";
import { countNgrams } from "../score/ngrams.ts";
import { scoredTokens, splitAtSpaces } from "../score/scored-tokens.ts";

/**
 * CIDEr of drawn captions against the references of training photos. Unlike in the score, the end counts as a word on both
 * sides, or captions would be learnt that stop in the middle.
 */
export class CiderReward {
  readonly #references: readonly (readonly CiderVector[])[];
  readonly #documents: DocumentFrequencies;

  /** The captions of each photo, as they were written; none of those that are not rewarded. */
  constructor(references: readonly (readonly string[])[]) {
    const ngrams = references.map((captions) =>
      captions.map((caption) => countNgrams([...splitAtSpaces(scoredTokens(caption)), endWord])),
    );
    this.#documents = countDocuments(ngrams.filter(({ length }) => length > 0));
    this.#references = ngrams.map((ofPhoto) => ofPhoto.map((counts) => weighNgrams(counts, this.#documents)));
  }

  /** In [0, 10]. `words` have the end word where the caption ended by itself. */
  of(photo: number, words: readonly string[]): number {
    return ciderOf(weighNgrams(countNgrams(words), this.#documents), this.#references[photo] ?? []);
  }
}
