import { describe, expect, test } from "vitest";
import { expectedHitRate } from "../../../scripts/scaling/hit-rate.ts";
import { seededRandom } from "./simulate-queue.ts";

const day = 24 * 60 * 60;

test("photos that are wanted alike have one photo's share of hits: λT / (1 + λT)", () => {
  const perLifetime = 3;
  const photos = 500;
  const rate = (perLifetime * photos) / (2 * day);

  expect(expectedHitRate({ photos, exponent: 0, ttlDays: 2 }, rate)).toBeCloseTo(3 / 4, 10);
});

describe.each([0, 0.8, 1.2])("with Zipf's exponent %d", (exponent) => {
  test("the share of hits is what a cache with that lifetime does when it is played through", () => {
    const popularity = { photos: 2000, exponent, ttlDays: 1 };
    const rate = 5000 / day;

    expect(expectedHitRate(popularity, rate)).toBeCloseTo(playedHitRate(popularity, { rate, requests: 200_000 }), 2);
  });

  test("more requests find more, and so do captions that are kept for longer", () => {
    const popularity = { photos: 1e6, exponent, ttlDays: 30 };

    expect(expectedHitRate(popularity, 1)).toBeLessThan(expectedHitRate(popularity, 10));
    expect(expectedHitRate(popularity, 1)).toBeLessThan(expectedHitRate({ ...popularity, ttlDays: 60 }, 1));
  });
});

test("counting photos of like places together changes nothing that matters", () => {
  const exponent = 0.9;
  const wanted = Array.from({ length: 50_000 }, (_, place) => (place + 1) ** -exponent);
  const total = wanted.reduce((sum, one) => sum + one, 0);
  const perLifetime = 2 * day;
  const singly = wanted.reduce((sum, one) => {
    const requests = (one / total) * perLifetime;
    return sum + ((one / total) * requests) / (1 + requests);
  }, 0);

  expect(expectedHitRate({ photos: 50_000, exponent, ttlDays: 1 }, 2)).toBeCloseTo(singly, 5);
});

interface Played {
  rate: number;
  requests: number;
}

/** A cache whose entries end a day after they were made. */
function playedHitRate({ photos, exponent }: { photos: number; exponent: number }, { rate, requests }: Played): number {
  const random = seededRandom(2);
  const sums: number[] = [];
  for (let place = 1; place <= photos; place++) sums.push((sums.at(-1) ?? 0) + place ** -exponent);
  const endsAt = new Map<number, number>();
  let [now, hits] = [0, 0];
  for (let request = 0; request < requests; request++) {
    now -= Math.log(random()) / rate;
    const photo = placeOf(sums, random() * (sums.at(-1) ?? 0));
    if ((endsAt.get(photo) ?? 0) > now) hits += 1;
    else endsAt.set(photo, now + day);
  }
  return hits / requests;
}

function placeOf(sums: readonly number[], value: number): number {
  let [low, high] = [0, sums.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sums[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
