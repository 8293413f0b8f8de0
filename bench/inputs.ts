import { type Bundle, defaultModelDir, openBundle } from "../gpu-service/bundle.ts";
import { decodeImage } from "../gpu-service/decode-image.ts";
import type { Engine } from "../gpu-service/engine.ts";
import { createOnnxEngine } from "../gpu-service/onnx/engine.ts";
import { madePhotos } from "../test/fixtures/made-images.ts";

export interface BenchInputs {
  bundle: Bundle;
  engine: Engine;
  /** uint8 [height, width, 3] each, of distinct made photos of 500×375. */
  photos: Uint8Array[];
}

/** The shipped bundle on the bare engine in this process, and decoded photos. */
export async function benchInputs(count: number): Promise<BenchInputs> {
  const bundle = await openBundle(defaultModelDir);
  const engine = await createOnnxEngine(bundle);
  const { preprocessing } = bundle.manifest;
  const files = await madePhotos(count);
  const decoded = await Promise.all(files.map((bytes) => decodeImage(bytes, { preprocessing, maxPixels: 1e6 })));
  return { bundle, engine, photos: decoded.map(({ pixels }) => pixels) };
}
