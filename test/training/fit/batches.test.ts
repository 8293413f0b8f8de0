import { expect, test } from "vitest";
import { bucketedBatches, layOut, photoBatches, repeatedBatches } from "../../../training/fit/batches.ts";
import { randomFor } from "../../../training/keyed-random.ts";

const captions = Array.from({ length: 1000 }, (_, index) => ({
  photo: Math.floor(index / 5),
  ids: [1, ...Array.from({ length: 3 + ((index * 7919) % 20) }, () => 3), 2],
}));

test("bucketed batches have every caption once and little padding", () => {
  const batches = bucketedBatches(captions, { size: 32, random: randomFor(1) });
  expect(batches.map(({ length }) => length).filter((length) => length !== 32)).toEqual([1000 % 32]);
  expect(new Set(batches.flat()).size).toBe(1000);
  const places = batches.map(layOut).reduce((sum, { rows, steps }) => sum + rows * steps, 0);
  const words = captions.reduce((sum, { ids }) => sum + ids.length - 1, 0);
  expect(words / places).toBeGreaterThan(0.9);
  const unsorted = Math.max(...captions.map(({ ids }) => ids.length - 1));
  expect(words / (1000 * unsorted)).toBeLessThan(0.7); // what it would be without
  expect(bucketedBatches(captions, { size: 32, random: randomFor(2) })).not.toEqual(batches);
});

test("few captions fill as many batches as are asked for, each as often as the others, give or take one", () => {
  const few = captions.slice(0, 30);
  const batches = repeatedBatches(few, { size: 16, steps: 10, random: randomFor(1) });
  expect(batches.map(({ length }) => length)).toEqual(new Array(10).fill(16));
  const times = few.map((caption) => batches.flat().filter((other) => other === caption).length);
  expect(new Set(times)).toEqual(new Set([5, 6]));
  expect(new Set(repeatedBatches(captions, { size: 16, steps: 10, random: randomFor(1) }).flat()).size).toBe(160);
});

test("the tutorial's batches are all captions of three photos, in the order of the data", () => {
  const batches = photoBatches(captions, 3);
  expect(batches[0]).toEqual(captions.slice(0, 15));
  expect(batches.flat()).toEqual(captions);
  expect(batches.at(-1)).toHaveLength(10); // 200 photos
});

test("captions are laid out a column each, every word before its next, and nothing behind the end counts", () => {
  expect(
    layOut([
      { photo: 0, ids: [1, 5, 6, 2] },
      { photo: 1, ids: [1, 2] },
    ]),
  ).toEqual({
    rows: 2,
    steps: 3,
    words: Int32Array.of(1, 1, 5, 0, 6, 0),
    next: Int32Array.of(5, 2, 6, 0, 2, 0),
    weights: Float32Array.of(0.25, 0.25, 0.25, 0, 0.25, 0),
  });
});
