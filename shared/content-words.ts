/**
 * English words of the closed classes: articles, pronouns, prepositions, conjunctions, auxiliaries. They show how a
 * sentence is built, not what a photo shows.
 */
const functionWords = new Set(
  (
    "a an the this that these those some any each every both all another other " +
    "i he she it we they him her them his hers its their theirs our who whom whose which what himself herself itself themselves " +
    "about above across after against along among around as at away before behind below beneath beside besides between " +
    "beyond by down during for from in inside into like near next of off on onto out outside over past through to toward " +
    "towards under up upon while with within without " +
    "and but or nor so than then there where when because if not no " +
    "is are was were be been being am has have had having do does did doing can could may might must shall should will would"
  ).split(" "),
);

/** Words after which more must come: function words, and participles of verbs that need an object. */
export const danglingWords = (
  "a an the this that these those some any each every both its their his her our my your who whom whose which what " +
  "about above against among as at between across along behind beside during for from in into like near next of on onto over through to toward towards under upon with within without " +
  "and but or nor so than then when because if while where " +
  "is are was were be being am has have had having do does did doing can could may might must shall should will would very " +
  "wearing holding carrying throwing catching chasing using taking making getting giving putting pulling pushing touching " +
  "facing trying looking attempting hitting kicking covered surrounded filled dressed made"
).split(" ");

/** Whether a word shows how a sentence is built. */
export function isFunctionWord(word: string): boolean {
  return functionWords.has(word);
}

/** Selects the words of a cleaned caption that describe the photo. */
export function contentWords(words: readonly string[]): string[] {
  return words.filter((word) => !isFunctionWord(word));
}
