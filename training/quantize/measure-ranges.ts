import { availableParallelism } from "node:os";
import { type EncoderBundle, withFileName } from "../../captioner/bundle.ts";
import { createEncoderSession, createProbes } from "../../captioner/onnx/encoder-session.ts";
import { cosine, meanOf } from "../../captioner/vectors.ts";
import type { Divisors, EncoderRanges } from "../../shared/ranges.ts";
import { shareOutside, ValueHistogram } from "./value-histogram.ts";

type Ranges = EncoderRanges["ranges"];

/** One photo as the encoder reads it: uint8 [height, width, 3]. */
type Pixels = Uint8Array;

/** Maximum share of a layer's values that its range may cut off. */
const mostOutside = 0.01;

const threads = availableParallelism();

/** Measures the range of each layer that the int8 encoder quantizes, over these photos. */
export async function measureRanges(
  bundle: EncoderBundle,
  { photos, divisors }: { photos: AsyncIterable<Pixels>; divisors?: Divisors | undefined },
): Promise<Ranges> {
  const probes = await createProbes(bundle, { threads, divisors });
  const histograms = new Map(probes.layers.map(({ name }) => [name, new ValueHistogram()]));
  try {
    for await (const pixels of photos) {
      const made = await probes.observe(pixels);
      for (const [layer, values] of made) withFileName(`layer ${layer}`, () => histograms.get(layer)?.add(values));
    }
  } finally {
    await probes.close();
  }
  return Object.fromEntries([...histograms].map(([layer, histogram]) => [layer, histogram.chooseRange()]));
}

/**
 * Throws, naming the layer, if a range is missing or cuts off more of these photos' values than allowed, which would
 * saturate.
 */
export async function checkRanges(
  bundle: EncoderBundle,
  { ranges, divisors, photos }: { ranges: Ranges; divisors?: Divisors | undefined; photos: AsyncIterable<Pixels> },
): Promise<void> {
  const probes = await createProbes(bundle, { threads, divisors });
  const outside = new Map<string, number[]>(probes.layers.map(({ name }) => [name, []]));
  try {
    for await (const pixels of photos) {
      for (const [layer, values] of await probes.observe(pixels)) {
        const range = ranges[layer];
        if (range === undefined) throw new Error(`layer ${layer}: expected a range, found none`);
        outside.get(layer)?.push(shareOutside(values, range));
      }
    }
  } finally {
    await probes.close();
  }
  for (const [layer, shares] of outside) {
    const share = shares.reduce((sum, one) => sum + one, 0) / Math.max(1, shares.length);
    if (share <= mostOutside) continue;
    const [low = 0, high = 0] = ranges[layer] ?? [];
    const range = `${low.toPrecision(3)} to ${high.toPrecision(3)}`;
    throw new Error(`layer ${layer}: its range, ${range}, cuts off ${(100 * share).toFixed(1)} % of its values`);
  }
}

/** Measures the bias correction: the mean difference of float32 features and int8 features over these photos. */
export async function measureBiasCorrection(bundle: EncoderBundle, photos: AsyncIterable<Pixels>): Promise<number[]> {
  const pairs = await encodeInBoth(bundle, photos);
  const [exact, whole] = [meanOf(pairs.map(([one]) => one)), meanOf(pairs.map(([, other]) => other))];
  return Array.from(exact, (value, index) => Number((value - (whole[index] ?? 0)).toPrecision(3)));
}

/** Compares int8 features with float32 features: the cosine of each photo's, after subtracting the photos' mean. */
export async function compareFeatures(bundle: EncoderBundle, photos: AsyncIterable<Pixels>): Promise<number[]> {
  const pairs = await encodeInBoth(bundle, photos);
  const mean = meanOf(pairs.map(([exact]) => exact));
  return pairs.map(([exact, whole]) => cosine(exact, whole, mean));
}

type Pair = readonly [exact: Float32Array, whole: Float32Array];

async function encodeInBoth(bundle: EncoderBundle, photos: AsyncIterable<Pixels>): Promise<Pair[]> {
  const float32 = await createEncoderSession(bundle, { threads, precision: "float32" });
  const int8 = await createEncoderSession(bundle, { threads, precision: "int8" });
  const pairs: Pair[] = [];
  try {
    for await (const pixels of photos) pairs.push([await float32.encode(pixels, 1), await int8.encode(pixels, 1)]);
  } finally {
    await Promise.all([float32.close(), int8.close()]);
  }
  return pairs;
}
