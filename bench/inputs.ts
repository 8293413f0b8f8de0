import { type Bundle, defaultModelDir, openBundle } from "../gpu-service/bundle.ts";
import { decodeImage } from "../gpu-service/decode-image.ts";
import type { Engine } from "../gpu-service/engine.ts";
import { createOnnxEngine } from "../gpu-service/onnx/engine.ts";
import { madePhotos } from "../test/fixtures/made-images.ts";

export interface BenchInputs {
  bundle: Bundle;
  engine: Engine;
  /** uint8 [height, width, 3] each. */
  photos: Uint8Array[];
}

/** The shipped bundle on the bare engine in this process, and decoded photos. */
export async function benchInputs(count: number): Promise<BenchInputs> {
  const bundle = await openBundle(defaultModelDir);
  const engine = await createOnnxEngine(bundle);
  return { bundle, engine, photos: await decodedMadePhotos(bundle, count) };
}

/** Distinct made photos of 500×375, as the bundle's encoder takes them. */
export async function decodedMadePhotos({ manifest }: Bundle, count: number): Promise<Uint8Array[]> {
  const settings = { preprocessing: manifest.preprocessing, maxPixels: 1e6 };
  const files = await madePhotos(count);
  return Promise.all(files.map(async (bytes) => (await decodeImage(bytes, settings)).pixels));
}
