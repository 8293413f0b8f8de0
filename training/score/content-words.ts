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
