import { createHash } from "node:crypto";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";

/**
 * Makes a generator that depends only on its key, such as (seed, epoch, step), so that a run that continues after a
 * kill draws the same numbers as an undisturbed one.
 */
export function randomFor(...key: readonly (string | number)[]): RandomGenerator {
  return xoroshiro128plus(createHash("sha256").update(key.join("\0")).digest().readInt32LE());
}

/** Returns a shuffled copy. */
export function shuffled<Item>(items: readonly Item[], random: RandomGenerator): Item[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = uniformInt(random, 0, last);
    [order[last], order[other]] = [order[other] as Item, order[last] as Item]; // both are within its length
  }
  return order;
}

/** Draws one of the items uniformly. */
export function chooseOne<Item>(items: readonly Item[], random: RandomGenerator): Item {
  const chosen = items[items.length < 2 ? 0 : uniformInt(random, 0, items.length - 1)];
  if (chosen === undefined) throw new Error("expected something to choose from, found nothing");
  return chosen;
}

/**
 * Draws a mask for inverted dropout: each value is 0 with probability `rate`, rounded to 1/256, and otherwise 1 / (1 −
 * rate). float32 [size].
 */
export function dropoutMask(random: RandomGenerator, { size, rate }: { size: number; rate: number }): Float32Array {
  const dropped = Math.round(rate * 256);
  const kept = 256 / (256 - dropped);
  const mask = new Float32Array(size);
  let bytes = 0; // each number gives four draws of one byte
  for (let index = 0; index < size; index++) {
    bytes = index % 4 === 0 ? random.next() : bytes >>> 8;
    mask[index] = (bytes & 0xff) < dropped ? 0 : kept;
  }
  return mask;
}

/** Draws from Glorot's uniform distribution, Keras' default for kernels. float32 [rows, columns]. */
export function glorotUniform(random: RandomGenerator, [rows, columns]: readonly [number, number]): Float32Array {
  return uniform(random, { size: rows * columns, limit: Math.sqrt(6 / (rows + columns)) });
}

/** Draws values uniformly from [−limit, limit]. float32 [size]. */
export function uniform(random: RandomGenerator, { size, limit }: { size: number; limit: number }): Float32Array {
  return Float32Array.from({ length: size }, () => (2 * uniformFloat64(random) - 1) * limit);
}

/** Draws orthonormal rows (rows ≤ columns), Keras' default for recurrent kernels. float32 [rows, columns]. */
export function orthogonal(random: RandomGenerator, [rows, columns]: readonly [number, number]): Float32Array {
  const basis: Float64Array[] = [];
  for (let row = 0; row < rows; row++) {
    const vector = Float64Array.from({ length: columns }, () => standardNormal(random));
    for (const other of basis) subtractShare(vector, other);
    const length = Math.sqrt(dot(vector, vector));
    basis.push(vector.map((value) => value / length));
  }
  return Float32Array.from(basis.flatMap((vector) => [...vector]));
}

/** Subtracts the projection of `vector` onto the unit vector `direction`: modified Gram–Schmidt. */
function subtractShare(vector: Float64Array, direction: Float64Array): void {
  const share = dot(vector, direction);
  for (let index = 0; index < vector.length; index++)
    vector[index] = (vector[index] ?? 0) - share * (direction[index] ?? 0);
}

function dot(one: Float64Array, other: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < one.length; index++) sum += (one[index] ?? 0) * (other[index] ?? 0);
  return sum;
}

/** Draws from the standard normal distribution (Box and Muller 1958). */
function standardNormal(random: RandomGenerator): number {
  return Math.sqrt(-2 * Math.log(1 - uniformFloat64(random))) * Math.cos(2 * Math.PI * uniformFloat64(random));
}
