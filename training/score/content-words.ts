import { contentWords } from "../../shared/content-words.ts";

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

/**
 * English words for people. A photo shows more people than its captions name, and in other words: which of "man", "boy"
 * and "person" is said depends on the writer.
 */
const peopleWords = new Set(
  (
    "man men woman women person persons people boy boys girl girls child children kid kids baby babies toddler lady ladies " +
    "guy guys player players rider riders skier skiers surfer surfers bride groom diver divers soldier soldiers gymnast " +
    "skateboarder skateboarders snowboarder snowboarders barber crowd"
  ).split(" "),
);

/** Selects the content words that do not name people. */
export function thingWords(words: readonly string[]): string[] {
  return contentWords(words).filter((word) => !peopleWords.has(word));
}

/** Converts an English word to the singular by its ending, where it looks like a plural. */
export function singularOf(word: string): string {
  if (word.endsWith("ies")) return `${word.slice(0, -3)}y`;
  if (/(ches|shes|xes|sses)$/.test(word)) return word.slice(0, -2);
  return /[^s]s$/.test(word) ? word.slice(0, -1) : word;
}
