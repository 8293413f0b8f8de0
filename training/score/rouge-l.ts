/** Weight of recall relative to precision: pycocoevalcap `rouge/rouge.py`. */
const beta = 1.2;

/**
 * Computes the ROUGE-L of one candidate in [0, 1] (Lin 2004): the F-measure over the longest common subsequence, from
 * the best precision and the best recall, even of different references. As in the reference implementation, a caption
 * without tokens counts as one empty token: it scores 0, and 1 against an empty reference.
 */
export function rougeLOf(candidate: readonly string[], references: readonly (readonly string[])[]): number {
  const tokens = orEmptyToken(candidate);
  let precision = 0;
  let recall = 0;
  for (const reference of references.map(orEmptyToken)) {
    const common = longestCommonSubsequence(tokens, reference);
    precision = Math.max(precision, common / tokens.length);
    recall = Math.max(recall, common / reference.length);
  }
  if (precision === 0) return 0;
  return ((1 + beta ** 2) * precision * recall) / (recall + beta ** 2 * precision);
}

function orEmptyToken(tokens: readonly string[]): readonly string[] {
  return tokens.length === 0 ? [""] : tokens;
}

/**
 * Computes the length of the longest common subsequence. Keeps one row of the usual table: for each prefix of `b`, the
 * best length with the part of `a` read so far.
 */
function longestCommonSubsequence(a: readonly string[], b: readonly string[]): number {
  let row = new Array<number>(b.length + 1).fill(0);
  for (const token of a) {
    const next = [0];
    for (const [index, other] of b.entries()) {
      const before = row[index] ?? 0;
      next.push(token === other ? before + 1 : Math.max(row[index + 1] ?? 0, next[index] ?? 0));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
