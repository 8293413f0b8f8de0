export const maxOrder = 4;

/** Counts of n-grams, their words joined by spaces: single words at index 0, runs of four at 3. */
export type NgramCounts = readonly ReadonlyMap<string, number>[];

/** Counts the n-grams of a caption, of one to four words. */
export function countNgrams(words: readonly string[]): NgramCounts {
  return Array.from({ length: maxOrder }, (_, index) => {
    const counts = new Map<string, number>();
    for (let end = index + 1; end <= words.length; end += 1) {
      const ngram = words.slice(end - index - 1, end).join(" ");
      counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
    }
    return counts;
  });
}

/** Returns the number of n-grams of one order, repetitions counted; `order` counts from 1. */
export function totalOf(ngrams: NgramCounts, order: number): number {
  let total = 0;
  for (const count of ngrams[order - 1]?.values() ?? []) total += count;
  return total;
}
