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

/** Selects the words of a cleaned caption that describe the photo. */
export function contentWords(words: readonly string[]): string[] {
  return words.filter((word) => !functionWords.has(word));
}

/**
 * Computes the share of a caption's content words that some reference contains; 0 for a caption without any. All are
 * cleaned.
 */
export function contentPrecision(caption: readonly string[], references: readonly (readonly string[])[]): number {
  const content = contentWords(caption);
  if (content.length === 0) return 0;
  const known = new Set(references.flat());
  return content.filter((word) => known.has(word)).length / content.length;
}

/** Whether a cleaned caption repeats a content word, which people seldom do and language models easily. */
export function repeatsItself(caption: readonly string[]): boolean {
  const content = contentWords(caption);
  return new Set(content).size < content.length;
}
