import { availableParallelism } from "node:os";
import { type EncoderBundle, withFileName } from "../../captioner/bundle.ts";
import { createProbes, type Probes } from "../../captioner/onnx/encoder-session.ts";
import type { Divisors } from "../../shared/ranges.ts";

/**
 * Minimum reach of a channel, relative to the furthest one: a channel that these photos hardly activate may be active
 * on others.
 */
const leastReach = 0.01;

/**
 * Measures the divisors of each convolution's channels: the square root of a channel's reach over these photos (its
 * largest absolute activation), relative to the furthest channel. Dividing by the reach itself would make all channels
 * fill the range, but leave the kernels that multiply it back as uneven as the channels were; the root shares the
 * unevenness between the two.
 */
export async function equalizeChannels(bundle: EncoderBundle, photos: AsyncIterable<Uint8Array>): Promise<Divisors> {
  const probes = await createProbes(bundle, { threads: availableParallelism() });
  const reach = new Map<string, Float32Array>();
  try {
    for await (const pixels of photos) widen(reach, probes, await probes.observe(pixels));
  } finally {
    await probes.close();
  }
  return Object.fromEntries(
    [...reach].map(([convolution, extents]) => {
      const furthest = extents.reduce((most, extent) => Math.max(most, extent), 0);
      const divisor = (extent: number) => Math.sqrt(Math.max(extent / furthest, leastReach));
      return [convolution, Array.from(extents, (extent) => (furthest === 0 ? 1 : rounded(divisor(extent))))];
    }),
  );
}

/** Widens the reach of convolutions' channels by what the layers computed, float32 [channels, …] each. */
function widen(reach: Map<string, Float32Array>, { layers }: Probes, made: Map<string, Float32Array>): void {
  for (const { name, parts } of layers) {
    const values = made.get(name) ?? new Float32Array();
    const area = values.length / parts.reduce((sum, { channels }) => sum + channels, 0);
    let start = 0;
    for (const { convolution, channels } of parts) {
      const end = start + channels * area;
      if (convolution !== undefined) {
        const extents = reach.get(convolution) ?? new Float32Array(channels);
        reach.set(convolution, extents);
        withFileName(`layer ${name}`, () => takeIn(extents, values.subarray(start, end)));
      }
      start = end;
    }
  }
}

/** Widens the extents of channels by values. Throws if a value is not finite. */
function takeIn(extents: Float32Array, values: Float32Array): void {
  const area = values.length / extents.length;
  for (let channel = 0, index = 0; channel < extents.length; channel++) {
    let furthest = extents[channel] ?? 0;
    for (const end = index + area; index < end; index++) {
      const extent = Math.abs(values[index] ?? 0);
      if (!(extent <= furthest)) furthest = extent;
    }
    if (!Number.isFinite(furthest)) throw new Error(`expected finite values, found ${furthest}`);
    extents[channel] = furthest;
  }
}

/** Rounds a divisor; exactness is not needed, since the same number is multiplied back. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
