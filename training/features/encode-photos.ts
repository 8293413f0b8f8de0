import { pMapIterable } from "p-map";
import { sha256Of } from "../../captioner/bundle.ts";
import type { EngineProcess } from "../../captioner/engines/engine-process.ts";
import { decodeImage } from "../../captioner/images/decode-image.ts";
import { readPhotoFile } from "../../files/read-photo-file.ts";
import { defaultMaxPixels } from "../../shared/contract.ts";
import { CaptionError } from "../../shared/errors.ts";
import type { Preprocessing } from "../../shared/manifest.ts";

const batch = 8;

export interface PhotoToEncode {
  path: string;
  /** SHA-256 of its bytes when `prepare` read them. */
  sha256: string;
  isMirrored: boolean;
}

interface EncodeSettings<Photo> {
  engine: EngineProcess;
  preprocessing: Preprocessing;
  /** Called for each photo that cannot be decoded, which is then left out. */
  leaveOut(photo: Photo, reason: string): void;
}

/**
 * Yields features of photos in their order, one batch at a time: float32 [photos, featureSize]. The next photos are
 * decoded while the engine works. Throws a sentence if a photo is missing or has changed.
 */
export async function* encodePhotos<Photo extends PhotoToEncode>(
  photos: readonly Photo[],
  { engine, preprocessing, leaveOut }: EncodeSettings<Photo>,
): AsyncGenerator<{ features: Float32Array; photos: Photo[] }> {
  const decode = async (photo: Photo): Promise<{ photo: Photo; pixels: Uint8Array } | undefined> => {
    const bytes = await readPhotoFile(photo.path);
    if (sha256Of(bytes) !== photo.sha256) {
      throw new Error(`${photo.path}: has changed since prepare looked at it: run prepare again`);
    }
    try {
      const { pixels } = await decodeImage(bytes, { preprocessing, maxPixels: defaultMaxPixels });
      return { photo, pixels: photo.isMirrored ? mirror(pixels, preprocessing) : pixels };
    } catch (error) {
      if (!(error instanceof CaptionError)) throw error;
      leaveOut(photo, error.message);
      return undefined;
    }
  };
  const decoded = pMapIterable(photos, decode, { concurrency: batch, backpressure: 2 * batch });
  for await (const some of inBatches(decoded)) {
    const pixels = Buffer.concat(some.map((one) => one.pixels));
    yield { features: await engine.encode(pixels, some.length), photos: some.map(({ photo }) => photo) };
  }
}

/** Flips an image horizontally: uint8 [height, width, 3]. */
function mirror(pixels: Uint8Array, { width }: Preprocessing): Uint8Array {
  const mirrored = new Uint8Array(pixels.length);
  for (let from = 0; from < pixels.length; from += 3) {
    const column = (from / 3) % width;
    const to = from + 3 * (width - 1 - 2 * column);
    mirrored[to] = pixels[from] ?? 0;
    mirrored[to + 1] = pixels[from + 1] ?? 0;
    mirrored[to + 2] = pixels[from + 2] ?? 0;
  }
  return mirrored;
}

async function* inBatches<Item>(items: AsyncIterable<Item | undefined>): AsyncGenerator<Item[]> {
  let some: Item[] = [];
  for await (const item of items) {
    if (item === undefined) continue;
    some.push(item);
    if (some.length < batch) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}
