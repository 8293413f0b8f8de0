import { normalizeText, spaceWords, splitToken } from "./word-boundaries.ts";

/**
 * `tutorial` is that of the Keras tutorial, to the letter: it drops every one-letter word and every word with a sign that
 * is no letter. `natural` keeps "a" and "i", for captions that read like sentences, and the words of all scripts.
 */
export const cleanings = ["tutorial", "natural"] as const;

export type Cleaning = (typeof cleanings)[number];

export const dropReasons = ["digits", "one letter", "other signs"] as const;

export type DropReason = (typeof dropReasons)[number];

/** A word that cleaning leaves out, lower-cased and without punctuation. */
interface DroppedWord {
  word: string;
  reason: DropReason;
}

export interface CleanedCaption {
  words: string[];
  /** In the caption's order. Punctuation is not among them. */
  dropped: DroppedWord[];
}

/** Python's `string.punctuation`, which the tutorial strips. */
const asciiPunctuation = /[!-/:-@[-`{-~]/g;

/** Letters of any script, which is what Python's `isalpha` accepts. */
const lettersOnly = /^\p{L}+$/u;

/** A letter with the marks and joiners that its script writes it with, and others like it. */
const lettersAndMarks = /^(?=.*\p{L})[\p{L}\p{M}\p{Join_Control}\u180e]+$/u;

/** All of ASCII but "a" and "i". In other alphabets many words have one letter. */
const strayLetter = /^[b-hj-z]$/;

const punctuationOnly = /^\p{P}*$/u;

/** Typographic forms of ASCII's apostrophe, quote and hyphen, which are dropped from inside words as those are. */
const apostrophes = /[\u00b4\u00b7\u02bc\u2018\u2019\u201b\u2027\u2032\u055a\u05f3\u05f4]/g;
const hyphens = /[\u2010\u2011]/g;

/** The words of a raw caption that a model learns from: lower case, without punctuation, digits and stray letters. */
export function cleanCaption(text: string, cleaning: Cleaning): string[] {
  return readCaption(text, cleaning).words;
}

/** Cleans a caption and says which words that leaves out, and why. */
export function readCaption(text: string, cleaning: Cleaning): CleanedCaption {
  const cleaned: CleanedCaption = { words: [], dropped: [] };
  for (const word of cleaning === "tutorial" ? tutorialWords(text) : naturalWords(text)) {
    const reason = reasonToDrop(word, cleaning);
    if (reason === undefined) cleaned.words.push(word);
    else if (!punctuationOnly.test(word)) cleaned.dropped.push({ word, reason });
  }
  return cleaned;
}

function tutorialWords(text: string): string[] {
  return text.toLowerCase().split(/\s+/).map(stripAsciiPunctuation);
}

/** Of ASCII text the tokens are those of the tutorial; other text is split at word boundaries, too. */
function naturalWords(text: string): string[] {
  const spaced = spaceWords(normalizeText(text)).toLowerCase();
  return spaced
    .replace(apostrophes, "'")
    .replace(hyphens, "-")
    .split(/[\s\u0085]+/)
    .map((token) => stripAsciiPunctuation(token).normalize("NFC")) // of what comes together
    .flatMap(splitToken);
}

function stripAsciiPunctuation(token: string): string {
  return token.replace(asciiPunctuation, "");
}

function reasonToDrop(word: string, cleaning: Cleaning): DropReason | undefined {
  const isWord = cleaning === "tutorial" ? lettersOnly : lettersAndMarks;
  if (!isWord.test(word)) return /\p{N}/u.test(word) ? "digits" : "other signs";
  const isStray = cleaning === "tutorial" ? [...word].length === 1 : strayLetter.test(word); // by code points, as Python counts
  return isStray ? "one letter" : undefined;
}

/** The id by which captions name their photo: the file name up to the first dot. */
export function imageIdOf(fileName: string): string {
  return fileName.replace(/\..*$/s, "");
}
