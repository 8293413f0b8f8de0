import { describe, expect, test } from "vitest";
import { dropoutMask, glorotUniform, orthogonal, randomFor, shuffled } from "../../training/keyed-random.ts";

const size = 100_000;

describe("dropout", () => {
  test("draws the same mask for the same key alone", () => {
    const mask = (...key: (string | number)[]) => dropoutMask(randomFor(...key), { size: 64, rate: 0.5 });
    expect(mask(1, "epoch", 2, 3)).toEqual(mask(1, "epoch", 2, 3));
    const keys = [
      [1, "epoch", 2, 4],
      [1, "epoch", 3, 3],
      [2, "epoch", 2, 3],
      [1, "epoch", 23],
    ] as const;
    for (const key of keys) expect(mask(...key)).not.toEqual(mask(1, "epoch", 2, 3));
  });

  test.each([0.1, 0.25, 0.5, 0.9])("drops %d of the values and makes up for it", (rate) => {
    const mask = dropoutMask(randomFor(rate), { size, rate });
    const dropped = mask.filter((value) => value === 0).length / size;
    expect(Math.abs(dropped - rate)).toBeLessThan(0.01);
    expect(new Set(mask).size).toBe(2);
    expect(mask.reduce((sum, value) => sum + value, 0) / size).toBeCloseTo(1, 1);
  });

  test("drops each of neighbouring values by itself", () => {
    const mask = dropoutMask(randomFor("neighbours"), { size, rate: 0.5 });
    for (const distance of [1, 2, 3, 4, 8]) {
      const both = mask.filter((value, index) => value === 0 && mask[index + distance] === 0).length / size;
      expect(Math.abs(both - 0.25), `at distance ${distance}`).toBeLessThan(0.01);
    }
  });
});

test("an order has everything once, and another key gives another", () => {
  const items = Array.from({ length: 100 }, (_, index) => index);
  const order = shuffled(items, randomFor(1, "order"));
  expect(order.toSorted((one, other) => one - other)).toEqual(items);
  expect(order).not.toEqual(items);
  expect(order).not.toEqual(shuffled(items, randomFor(2, "order")));
});

test("an orthogonal kernel's rows have length 1 and stand at right angles", () => {
  const kernel = orthogonal(randomFor(1), [16, 64]);
  const row = (index: number) => kernel.subarray(64 * index, 64 * (index + 1));
  for (let one = 0; one < 16; one++) {
    for (let other = 0; other <= one; other++) {
      const product = row(one).reduce((sum, value, index) => sum + value * (row(other)[index] ?? 0), 0);
      expect(product).toBeCloseTo(one === other ? 1 : 0, 5);
    }
  }
});

test("a kernel of Glorot's has the variance 2 / (rows + columns)", () => {
  const kernel = glorotUniform(randomFor(1), [200, 100]);
  const variance = kernel.reduce((sum, value) => sum + value ** 2, 0) / kernel.length;
  expect(variance * 150).toBeCloseTo(1, 1);
});
