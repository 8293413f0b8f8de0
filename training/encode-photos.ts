import { readFile } from "node:fs/promises";
import { pMapIterable } from "p-map";
import { decodeImage } from "../gpu-service/decode-image.ts";
import type { EngineProcess } from "../gpu-service/engine-process.ts";
import { defaultMaxPixels } from "../shared/contract.ts";
import type { Preprocessing } from "../shared/manifest.ts";

const batch = 8;

/**
 * Features of photo files in their order, a batch at a time: float32 [photos, featureSize]. The next photos are decoded
 * while the engine works. Throws an error that names the photo that cannot be read.
 */
export async function* encodePhotos(
  paths: readonly string[],
  { engine, preprocessing }: { engine: EngineProcess; preprocessing: Preprocessing },
): AsyncGenerator<{ features: Float32Array; photos: number }> {
  const decode = async (path: string): Promise<Uint8Array> => {
    try {
      return (await decodeImage(await readFile(path), { preprocessing, maxPixels: defaultMaxPixels })).pixels;
    } catch (cause) {
      throw new Error(`${path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
    }
  };
  for await (const some of inBatches(pMapIterable(paths, decode, { concurrency: batch, backpressure: 2 * batch }))) {
    yield { features: await engine.encode(Buffer.concat(some), some.length), photos: some.length };
  }
}

async function* inBatches<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item[]> {
  let some: Item[] = [];
  for await (const item of items) {
    some.push(item);
    if (some.length < batch) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}
