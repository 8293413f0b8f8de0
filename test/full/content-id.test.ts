import type { Sharp } from "sharp";
import { expect, test } from "vitest";
import { photoIdsOf } from "../../shared/photo-id.ts";
import { exifBlock, orientation } from "../fixtures/metadata/exif-block.ts";
import { type FormatWithContentId, formatsWithContentId, withExif } from "../fixtures/metadata/file-parts.ts";
import { mutatedMetadata } from "../fixtures/metadata/mutated-metadata.ts";
import { encoded, noisePicture, noiseSize, seenByService } from "../fixtures/metadata/noise-pictures.ts";
import { seededRandom } from "../fixtures/seeded-random.ts";

/** `CONTENT_ID_SEED=7 npm run test:full -- content-id` tries other files. */
const seed = Number(process.env.CONTENT_ID_SEED ?? 20_080_611);
const mutants = 7000;
/** Of the mutants, the least share that must have an original's id, so that the property is about something. */
const leastShare = 0.15;
const orientations = [1, 2, 3, 4, 5, 6, 7, 8];

/** In the ways of each format to hold pixels. */
async function originalsOf(format: FormatWithContentId): Promise<Uint8Array[]> {
  const profiled = (channels: 3 | 4) => noisePicture(channels).withIccProfile("p3");
  const images: Record<FormatWithContentId, Sharp[]> = {
    jpeg: [noisePicture(3).jpeg(), profiled(3).jpeg({ progressive: true })],
    png: [noisePicture(3).png(), profiled(4).png()],
    webp: [noisePicture(3).webp(), noisePicture(4).webp({ lossless: true }), profiled(4).webp({ alphaQuality: 90 })],
  };
  return Promise.all(images[format].map(encoded));
}

/** The first file that had an id, and what the service sees of it once that is asked for. */
interface Seen {
  bytes: Uint8Array;
  pixels?: string;
}

const contentIdOf = async (bytes: Uint8Array<ArrayBuffer>) => (await photoIdsOf(bytes)).contentId;

test.each(formatsWithContentId)(
  "two %s files with the same content id show the same pixels, whatever their metadata",
  {
    timeout: 600_000,
  },
  async (format) => {
    process.stdout.write(`content id of mutated metadata: ${format}, seed ${seed}\n`);
    const random = seededRandom(seed);
    const originals = await originalsOf(format);
    const seen = new Map<string, Seen>();
    for (const original of originals) {
      for (const value of orientations) {
        const bytes = withExif(format, original, exifBlock([orientation(value)]));
        seen.set((await contentIdOf(bytes)) ?? "none", { bytes });
      }
    }
    const ofOriginals = new Set(seen.keys());
    expect(ofOriginals.size).toBe(originals.length * orientations.length);
    let shared = 0;
    let refusedAnId = 0;
    for (let index = 0; index < mutants; index++) {
      const original = originals[index % originals.length] ?? new Uint8Array();
      const bytes = mutatedMetadata(original, { format, random, size: noiseSize });
      const id = await contentIdOf(bytes);
      if (id === undefined) {
        refusedAnId++;
        continue;
      }
      if (ofOriginals.has(id)) shared++;
      const other = seen.get(id);
      if (other === undefined) {
        seen.set(id, { bytes });
        continue;
      }
      other.pixels ??= await seenByService(other.bytes);
      expect(await seenByService(bytes), `mutant ${index} of ${format}`).toBe(other.pixels);
    }
    expect(shared / mutants).toBeGreaterThan(leastShare);
    expect(refusedAnId / mutants).toBeGreaterThan(leastShare);
  },
);
