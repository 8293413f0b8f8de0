import { randomFor, shuffled } from "../keyed-random.ts";
import type { RatedPhoto } from "./captioned-photo.ts";

const most = 10;

export interface ExamplePhotos {
  best: readonly RatedPhoto[];
  worst: readonly RatedPhoto[];
  /** Out of all, so that one of them may be among the best or the worst, too. */
  random: readonly RatedPhoto[];
}

/**
 * Picks ten photos of each kind by CIDEr of beam 3, or a third of the photos if there are fewer than thirty. Many captions
 * share a CIDEr of 0: ROUGE-L decides among those. The same photos give the same examples.
 */
export function pickExamples(photos: readonly RatedPhoto[]): ExamplePhotos {
  const count = Math.min(most, Math.ceil(photos.length / 3));
  const fromBest = photos.toSorted(
    (one, other) =>
      other.cider["beam 3"] - one.cider["beam 3"] || other.rougeL - one.rougeL || (one.id < other.id ? -1 : 1),
  );
  const best = fromBest.slice(0, count);
  return {
    best,
    worst: fromBest.slice(Math.max(count, fromBest.length - count)).reverse(),
    random: shuffled(photos, randomFor("report", photos.length)).slice(0, count),
  };
}
