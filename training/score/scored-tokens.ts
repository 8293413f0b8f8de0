import { normalizeText, spaceWords } from "../../shared/word-boundaries.ts";
import { ptbTokenize } from "./ptb-tokenize.ts";

/** Punctuation of other scripts, like 。 and ।, which the scorer's list does not have. Latin text has none of it. */
const foreignPunctuation = /^(?:(?![ -\u036f\u2000-\u2bff])\p{P})+$/u;

/**
 * The tokens that a caption is scored by. Of English text they are the COCO caption scorer's. Other text is normalised
 * first, and split at word boundaries where its script has no spaces, as the captions that are learnt from are.
 */
export function scoredTokens(caption: string): string[] {
  return ptbTokenize(spaceWords(normalizeText(caption))).filter((token) => !foreignPunctuation.test(token));
}

/** BLEU and CIDEr of the reference implementation split at any space, so that "3 1/2" is two words there; ROUGE-L does not. */
export function splitAtSpaces(tokens: readonly string[]): string[] {
  return tokens.flatMap((token) => token.split("\u00a0"));
}
