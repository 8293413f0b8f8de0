import type { Range } from "../../shared/ranges.ts";

const binsASide = 2048;

/** Candidate ranges, as fractions of the extremes. */
const shares = Array.from({ length: 91 }, (_, index) => 1 - index / 100);

/**
 * Weight of a squared clipping error relative to a squared rounding error: rounding errors cancel out in a sum of many
 * values, while clipping always reduces it.
 */
const weightOfCutting = 16;

/**
 * Histogram of values except zero, which every range represents exactly. Bins double in width as larger values arrive.
 */
export class ValueHistogram {
  #width = 1e-3;
  readonly #above = new Float64Array(binsASide);
  readonly #below = new Float64Array(binsASide);
  #largest = 0;
  #least = 0;

  /** Adds values. Throws if one is not finite, since no range would hold it. */
  add(values: Float32Array): void {
    for (const value of values) {
      if (!Number.isFinite(value)) throw new Error(`expected finite values, found ${value}`);
      if (value > this.#largest) this.#largest = value;
      else if (value < this.#least) this.#least = value;
    }
    while (Math.max(this.#largest, -this.#least) >= binsASide * this.#width) this.#widen();
    const perUnit = 1 / this.#width;
    for (const value of values) {
      if (value === 0) continue;
      const side = value > 0 ? this.#above : this.#below;
      const bin = Math.floor(Math.abs(value) * perUnit);
      side[bin] = (side[bin] ?? 0) + 1;
    }
  }

  /**
   * Chooses the range in which 256 steps cost the least: squared rounding errors inside plus squared clipping errors
   * outside.
   */
  chooseRange(): Range {
    let best: { range: Range; error: number } | undefined;
    for (const share of shares) {
      const range: Range = [share * this.#least, share * this.#largest];
      const error = this.#errorOf(range);
      if (best === undefined || error < best.error) best = { range, error };
    }
    const [low, high] = best?.range ?? [0, 0];
    return low < high ? [rounded(low), rounded(high)] : [0, 1]; // a layer of zeros only
  }

  #errorOf([low, high]: Range): number {
    const rounding = ((high - low) / 255) ** 2 / 12; // the variance of a uniform step
    const ofSide = (side: Float64Array, edge: number) => {
      let error = 0;
      for (const [bin, count] of side.entries()) {
        const value = (bin + 0.5) * this.#width;
        error += count * (value > edge ? weightOfCutting * (value - edge) ** 2 : rounding);
      }
      return error;
    };
    return ofSide(this.#above, high) + ofSide(this.#below, -low);
  }

  #widen(): void {
    for (const side of [this.#above, this.#below]) {
      for (let bin = 0; bin < binsASide; bin++) {
        const [one = 0, other = 0] = 2 * bin < binsASide ? side.subarray(2 * bin, 2 * bin + 2) : [];
        side[bin] = one + other;
      }
    }
    this.#width *= 2;
  }
}

/** Rounds to the precision that a step of 1/255 can resolve. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** Returns the share of values, zeros aside, that a range cuts off. */
export function shareOutside(values: Float32Array, [low, high]: Range): number {
  let outside = 0;
  let all = 0;
  for (const value of values) {
    if (value !== 0) all++;
    if (value < low || value > high) outside++;
  }
  return all === 0 ? 0 : outside / all;
}
