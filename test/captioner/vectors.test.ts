import { expect, test } from "vitest";
import { cosine, joinRows, meanOf, rowsOf } from "../../captioner/vectors.ts";

const east = Float32Array.of(2, 0);
const northEast = Float32Array.of(3, 3);

test("the cosine tells directions apart, not lengths", () => {
  expect(cosine(east, east)).toBe(1);
  expect(cosine(east, northEast)).toBeCloseTo(Math.SQRT1_2);
  expect(cosine(east, Float32Array.of(-5, 0))).toBe(-1);
});

test("the cosine is seen from an origin", () => {
  expect(cosine(Float32Array.of(12, 10), Float32Array.of(13, 13), Float64Array.of(10, 10))).toBeCloseTo(Math.SQRT1_2);
});

test("vectors of unlike lengths have no cosine", () => {
  expect(cosine(northEast, Float32Array.of(3))).toBeNaN();
  expect(cosine(northEast, northEast, Float64Array.of(0))).toBeNaN();
});

test("the mean of vectors", () => {
  expect(meanOf([east, northEast])).toEqual(Float64Array.of(2.5, 1.5));
});

test("a matrix is its rows, joined", () => {
  const rows = [east, northEast, Float32Array.of(-1, 4)];
  expect(rowsOf(joinRows(rows), 3)).toEqual(rows);
});
