import { availableParallelism } from "node:os";
import { type EncoderBundle, naming } from "../../captioner/bundle.ts";
import { createProbes, type Probes } from "../../captioner/onnx/probes.ts";
import type { Divisors } from "../../shared/ranges.ts";

/** Part of the furthest channel's reach that one is taken to have at least: one that these photos hardly move may move on others. */
const leastReach = 0.01;

/**
 * What each convolution's channels are divided by: the root of how far a channel reaches over these photos, the furthest
 * being 1. The reach itself would make channels fill their range alike, but leave the kernels that multiply it back as
 * uneven as the channels were; the root shares that out between the two.
 */
export async function equalizeChannels(bundle: EncoderBundle, photos: AsyncIterable<Uint8Array>): Promise<Divisors> {
  const probes = await createProbes(bundle, { threads: availableParallelism() });
  const reach = new Map<string, Float32Array>();
  try {
    for await (const pixels of photos) widen(reach, probes, await probes.lookAt(pixels));
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

/** Takes in how far the channels of convolutions reach in what layers made, float32 [channels, …] each. */
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
        naming(`layer ${name}`, () => takeIn(extents, values.subarray(start, end)));
      }
      start = end;
    }
  }
}

/** Throws where a value is not finite. */
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

/** Exactness is not needed: what is divided by a number is multiplied back by the same. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
