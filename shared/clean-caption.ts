/** `tutorial` drops every one-letter word; `natural` keeps "a" and "i", for captions that read like sentences. */
export const cleanings = ["tutorial", "natural"] as const;

export type Cleaning = (typeof cleanings)[number];

/** Python's `string.punctuation`, which the tutorial strips. */
const asciiPunctuation = /[!-/:-@[-`{-~]/g;

/** Letters of any script, which is what Python's `isalpha` accepts. */
const lettersOnly = /^\p{L}+$/u;

/** The words of a raw caption that a model learns from: lower case, without punctuation, digits and stray letters. */
export function cleanCaption(text: string, cleaning: Cleaning): string[] {
  return text
    .toLowerCase()
    .split(/\s+/)
    .map((token) => token.replace(asciiPunctuation, ""))
    .filter((word) => lettersOnly.test(word) && (isLonger(word) || (cleaning === "natural" && isOneLetterWord(word))));
}

/** Longer than one character, by code points as Python counts. */
function isLonger(word: string): boolean {
  return [...word].length > 1;
}

/** The "s" of "man 's" and the like are none. */
function isOneLetterWord(word: string): boolean {
  return word === "a" || word === "i";
}

/** The id by which captions name their photo: the file name up to the first dot. */
export function imageIdOf(fileName: string): string {
  return fileName.replace(/\..*$/s, "");
}
