/** Pattern of a letter in a script whose words follow each other without spaces and for which ICU has a dictionary. */
export const unspacedLetter = String.raw`(?=[\p{L}\p{M}])[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\u3031-\u3035\u30fc\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}]`;

const anUnspacedLetter = new RegExp(unspacedLetter, "u");

/** Whether a word is at least partly in a script without spaces, like T恤. */
export function hasUnspacedLetter(word: string): boolean {
  return anUnspacedLetter.test(word);
}

/** Joins words into a caption, with spaces except between words of scripts that have none. */
export function joinWords(words: readonly string[]): string {
  return words.map((word, index) => gapBetween(words[index - 1], word) + word).join("");
}

/** Returns the gap between two words of a caption: nothing before the first word and within a script without spaces, else a space. */
export function gapBetween(before: string | undefined, word: string): "" | " " {
  if (before === undefined) return "";
  return hasUnspacedLetter(before) && hasUnspacedLetter(word) ? "" : " ";
}
