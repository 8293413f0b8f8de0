import { searchCaptions } from "../captioner/beam-search.ts";
import { type Bundle, defaultModelDir, openBundle } from "../captioner/bundle.ts";
import type { CpuSettings, Engine, Precision } from "../captioner/engine.ts";
import { decodeImage } from "../captioner/images/decode-image.ts";
import { createOnnxEngine } from "../captioner/onnx/engine.ts";
import { defaultCaptionOptions } from "../shared/caption-options.ts";
import { precisions } from "../shared/contract.ts";
import { madePhotos } from "../test/fixtures/made-images.ts";

/** What a bench found. */
export interface BenchResult {
  /** Tells apart the results of a bench that has several. */
  variant?: string;
  /** The figure to compare with the target. */
  number: number;
  /** Both sides of the ratio with their unit; `peer` is `none` if a bench has no peer. */
  ours: string;
  peer: string;
}

export interface Bench {
  name: string;
  /** What is measured, and the target. */
  about: string;
  /** Its results, or a sentence that says why it cannot run here. */
  run(): Promise<BenchResult | BenchResult[] | string>;
}

/** Measures in each precision in turn; the results carry its name as their variant. */
export async function inEachPrecision(measure: (precision: Precision) => Promise<BenchResult>): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const precision of precisions) results.push({ ...(await measure(precision)), variant: precision });
  return results;
}

/**
 * Times two pieces of work in turns, so that whatever else the machine does falls on both: medians in milliseconds
 * over `rounds` rounds, after one that is not counted.
 */
export async function timeInTurns(
  rounds: number,
  { ours, peer }: { ours: () => Promise<unknown>; peer: () => Promise<unknown> },
): Promise<{ oursMs: number; peerMs: number }> {
  const times = { ours: [] as number[], peer: [] as number[] };
  for (let round = -1; round < rounds; round++) {
    for (const [side, work] of [
      ["ours", ours],
      ["peer", peer],
    ] as const) {
      const begun = performance.now();
      await work();
      if (round >= 0) times[side].push(performance.now() - begun);
    }
  }
  return { oursMs: median(times.ours), peerMs: median(times.peer) };
}

/** The value in the middle; of an even number the upper of the two. */
export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
}

/** What the benches of the engine work on. */
export interface BenchInputs {
  bundle: Bundle;
  engine: Engine;
  /** uint8 [height, width, 3] each. */
  photos: Uint8Array[];
}

/** The shipped bundle on the bare engine in this process, and decoded photos. */
export async function benchInputs(count: number, cpu: CpuSettings = {}): Promise<BenchInputs> {
  const bundle = await openBundle(defaultModelDir);
  const engine = await createOnnxEngine(bundle, cpu);
  return { bundle, engine, photos: await decodedMadePhotos(bundle, count) };
}

/** Encode and search of decoded photos as one batch, with the default beam. */
export async function bareCaptions({ bundle, engine }: BenchInputs, photos: readonly Uint8Array[]): Promise<void> {
  const { search, specialIds } = bundle.manifest;
  const features = await engine.encode(Buffer.concat(photos), photos.length);
  const options = photos.map(() => defaultCaptionOptions);
  await searchCaptions(engine, { features, options }, { ...search, startId: specialIds.start, endId: specialIds.end });
}

/** Distinct made photos of 500×375, as the bundle's encoder takes them. */
export async function decodedMadePhotos({ manifest }: Bundle, count: number): Promise<Uint8Array[]> {
  const settings = { preprocessing: manifest.preprocessing, maxPixels: 1e6 };
  const files = await madePhotos(count);
  return Promise.all(files.map(async (bytes) => (await decodeImage(bytes, settings)).pixels));
}
