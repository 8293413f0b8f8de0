import { normalizeText, spaceWords } from "../../shared/word-boundaries.ts";
import { ptbRules } from "./ptb-rules.ts";

/**
 * The list in pycocoevalcap's `tokenizer/ptbtokenizer.py`. Tokens are compared after lower-casing, so a caption's own
 * bracket, by then "-lrb-", stays.
 */
const scorersPunctuation = ["''", "'", "``", "`", "-LRB-", "-RRB-", "-LCB-", "-RCB-"].concat([
  ".",
  "?",
  "!",
  ",",
  ":",
  "-",
  "--",
  "...",
  ";",
]);
/** Marks that CoreNLP respells as one of that list. */
const respeltPunctuation = [
  '"',
  "&quot;",
  "&apos;",
  ..."‘’‛“”«»‹›–—―…\u0091\u0092\u0093\u0094\u0096\u0097",
  "\u2010",
  "\u2011",
];
const dropped = new Set([...scorersPunctuation, ...respeltPunctuation]);

/**
 * Signs unknown to CoreNLP 3.4.1, above all emoji, which separate words like a space. It knows no letters above U+FFFF;
 * we do.
 */
const unknownSigns =
  /[\u2012\u2024\u2025\u2027\u203c\u203d\u2043\u2045-\u205e\u20a1-\u20a3\u20a5-\u20ab\u20ad-\u20ff\u2150-\u2152]|[\ufe00-\ufe0f]|(?![\p{L}\p{M}])[\u{10000}-\u{10ffff}]/gu;
const softHyphen = /\u00ad/g;

/**
 * Splits a caption into tokens as pycocoevalcap's `PTBTokenizer` does: CoreNLP 3.4.1 with -preserveLines -lowerCase,
 * then without punctuation. A token may contain a no-break space ("3 1/2").
 */
export function ptbTokenize(caption: string): string[] {
  const text = caption.replace(softHyphen, "").replace(unknownSigns, " ");
  const tokens: string[] = [];
  for (let at = skipSpaces(text, 0); at < text.length; at = skipSpaces(text, at)) {
    const found = longestMatch(text, at);
    at += found.length;
    tokens.push(...found.tokens);
  }
  return tokens.map((token) => token.toLowerCase()).filter((token) => !dropped.has(token));
}

function skipSpaces(text: string, from: number): number {
  let at = from;
  while (at < text.length && /\s/.test(text.charAt(at))) at += 1;
  return at;
}

/** Finds the tokens that start at `at` and their length; a sign that no rule matches is skipped. */
function longestMatch(text: string, at: number): { tokens: string[]; length: number } {
  let longest = 0;
  let found: { tokens: string[]; length: number } = { tokens: [], length: 1 };
  for (const { pattern, write } of ptbRules) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null || match[0].length <= longest) continue;
    longest = match[0].length;
    const groups = match.slice(1).filter((group) => group !== undefined);
    const parts = groups.length > 0 ? groups : [match[0]];
    found = { tokens: write ? parts.map(write) : parts, length: parts.join("").length };
  }
  return found;
}

/** Punctuation of other scripts, like 。 and ।, which the scorer's list lacks. Latin text has none of it. */
const foreignPunctuation = /^(?:(?![ -\u036f\u2000-\u2bff])\p{P})+$/u;

/**
 * Splits a caption into the tokens that it is scored by: for English text, those of the COCO caption scorer. Other text
 * is normalised first, and split at word boundaries if its script has no spaces, as training captions are.
 */
export function scoredTokens(caption: string): string[] {
  return ptbTokenize(spaceWords(normalizeText(caption))).filter((token) => !foreignPunctuation.test(token));
}

/**
 * Splits tokens at spaces. BLEU and CIDEr of the reference implementation do so, which makes "3 1/2" two words; ROUGE-L
 * does not.
 */
export function splitAtSpaces(tokens: readonly string[]): string[] {
  return tokens.flatMap((token) => token.split("\u00a0"));
}
