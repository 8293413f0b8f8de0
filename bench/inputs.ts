import { searchCaptions } from "../captioner/beam-search.ts";
import { type Bundle, defaultModelDir, openBundle } from "../captioner/bundle.ts";
import type { CpuSettings, Engine } from "../captioner/engine.ts";
import { decodeImage } from "../captioner/images/decode-image.ts";
import { createOnnxEngine } from "../captioner/onnx/engine.ts";
import { defaultCaptionOptions } from "../shared/contract.ts";
import { madePhotos } from "../test/fixtures/made-images.ts";

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
