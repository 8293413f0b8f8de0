/** Probabilities of 0, 1, … `most` events. In logarithms, since e^-mean alone may be too small for a number. */
export function poisson(mean: number, most: number): number[] {
  let logarithm = -mean;
  return Array.from({ length: most + 1 }, (_, count) => {
    if (count > 0) logarithm += Math.log(mean / count);
    return Math.exp(logarithm);
  });
}

/** The chain's shares in the long run, by Grassmann, Taksar and Heyman's elimination, which subtracts nothing. */
export function longRunShares(chain: readonly (readonly number[])[]): number[] {
  const rows = chain.map((row) => [...row]);
  const at = (row: number, column: number) => rows[row]?.[column] ?? 0;
  for (let last = rows.length - 1; last > 0; last--) {
    const leaving = rows[last]?.slice(0, last).reduce((sum, value) => sum + value, 0) ?? 0;
    for (let row = 0; row < last; row++) {
      const factor = at(row, last) / leaving;
      if (factor === 0) continue;
      for (let column = 0; column < last; column++) add(rows[row] ?? [], column, factor * at(last, column));
      const own = rows[row];
      if (own !== undefined) own[last] = factor;
    }
  }
  const shares = [1];
  for (let state = 1; state < rows.length; state++) {
    shares.push(shares.reduce((sum, share, row) => sum + share * at(row, state), 0));
  }
  const total = shares.reduce((sum, share) => sum + share, 0);
  return shares.map((share) => share / total);
}

/** Adds to a place of a row that may be empty yet. */
export function add(row: number[], column: number, value: number): void {
  row[column] = (row[column] ?? 0) + value;
}
