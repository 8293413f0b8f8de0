import { describe, expect, test } from "vitest";
import { shareOutside, ValueHistogram } from "../../../training/quantize/value-histogram.ts";
import { seededRandom } from "../../fixtures/seeded-random.ts";

function rangeOf(...parts: readonly (readonly number[])[]): readonly [number, number] {
  const histogram = new ValueHistogram();
  for (const part of parts) histogram.add(Float32Array.from(part));
  return histogram.chooseRange();
}

const random = seededRandom(3);
const even = Array.from({ length: 20_000 }, () => 4 * random());

describe("ValueHistogram", () => {
  test("takes the extremes of values that lie evenly", () => {
    const [low, high] = rangeOf(even);
    expect(low).toBe(0);
    expect(high).toBeGreaterThan(3.9);
    expect(high).toBeLessThanOrEqual(4);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("refuses %s", (value) => {
    expect(() => rangeOf(even, [value])).toThrow(`expected finite values, found ${value}`);
  });

  test("cuts off a lone value far from many others, and the less of it the fewer they are", () => {
    const many = Array.from({ length: 800 }, () => even);
    expect(rangeOf(...many, [11])[1]).toBeLessThan(10);
    expect(rangeOf(even, [11])[1]).toBeGreaterThan(10.5);
  });

  test("spans both signs, whatever the order and size in which values come", () => {
    const both = [...even, ...even.map((value) => -value / 2)];
    const [low, high] = rangeOf(both.slice(0, 100), [5000], both.slice(100));
    const [lowAgain, highAgain] = rangeOf(both.toReversed(), [5000]);
    expect([low, high]).toEqual([lowAgain, highAgain]);
    expect(low).toBeLessThan(0);
    expect(-low / high).toBeLessThan(1);
  });

  test("finds some range for a layer that makes nothing but zeros", () => {
    expect(rangeOf([0, 0, 0])).toEqual([0, 1]);
  });
});

describe("shareOutside", () => {
  test("counts what lies outside, among what is not zero", () => {
    expect(shareOutside(Float32Array.of(0, 0, 1, 2, 3, -1), [0, 2])).toBe(0.5);
    expect(shareOutside(Float32Array.of(0, 0), [0, 2])).toBe(0);
  });
});
