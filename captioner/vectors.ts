/** Cosine of the angle between two vectors, relative to `origin`, zero by default. */
export function cosine(one: Float32Array, other: Float32Array, origin?: Float64Array): number {
  let [product, ofOne, ofOther] = [0, 0, 0];
  for (const [index, value] of one.entries()) {
    const middle = origin === undefined ? 0 : (origin[index] ?? Number.NaN);
    const [a, b] = [value - middle, (other[index] ?? Number.NaN) - middle];
    product += a * b;
    ofOne += a * a;
    ofOther += b * b;
  }
  return product / Math.sqrt(ofOne * ofOther);
}

/** The mean of vectors of the same length. */
export function meanOf(rows: readonly Float32Array[]): Float64Array {
  const mean = new Float64Array(rows[0]?.length ?? 0);
  for (const row of rows) {
    for (const [index, value] of row.entries()) mean[index] = (mean[index] ?? 0) + value / rows.length;
  }
  return mean;
}

/** The rows of a matrix, float32 [rows, size], as views of it. */
export function rowsOf(matrix: Float32Array, rows: number): Float32Array[] {
  const size = matrix.length / rows;
  return Array.from({ length: rows }, (_, row) => matrix.subarray(row * size, (row + 1) * size));
}

/** Copies rows into one matrix. */
export function joinRows(rows: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(rows.reduce((length, row) => length + row.length, 0));
  let offset = 0;
  for (const row of rows) {
    joined.set(row, offset);
    offset += row.length;
  }
  return joined;
}
