/** Letters of the scripts whose words follow each other without a space, and that ICU has dictionaries for. */
export const unspacedLetter = String.raw`(?=[\p{L}\p{M}])[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\u3031-\u3035\u30fc\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}]`;

const anUnspacedLetter = new RegExp(unspacedLetter, "u");

/** Whether a word is of a script without spaces, if only in part, like T恤. */
export function hasUnspacedLetter(word: string): boolean {
  return anUnspacedLetter.test(word);
}

/** Joins words into a caption: with spaces, but for words of a script that has none. */
export function joinWords(words: readonly string[]): string {
  return words.map((word, index) => gapBetween(words[index - 1], word) + word).join("");
}

/** What stands between two words of a caption: a space, or nothing before its first word and within a script without spaces. */
export function gapBetween(before: string | undefined, word: string): "" | " " {
  if (before === undefined) return "";
  return hasUnspacedLetter(before) && hasUnspacedLetter(word) ? "" : " ";
}
