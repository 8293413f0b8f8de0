import { openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { imageInfoSchema } from "../../../shared/contract.ts";
import { CaptionError } from "../../../shared/errors.ts";
import { preprocessingSchema } from "../../../shared/manifest.ts";
import { mutatedImage } from "../../fixtures/mutated-images.ts";

// Decodes mutated images one after the other, as `decode-batch.ts` asks in its only argument. Before each it writes the
// index into a file, which tells of what it died if it dies.

export const jobSchema = z.object({
  seed: z.int(),
  from: z.int(),
  to: z.int(),
  /** Of the originals. */
  folder: z.string(),
  indexFile: z.string(),
  /** Module with the `decodeImage` that is tried. */
  decoder: z.string(),
  maxPixels: z.int(),
  preprocessing: preprocessingSchema,
});

export interface Outcome {
  decoded: number;
  /** How many by code. */
  refused: Record<string, number>;
  failures: { index: number; why: string }[];
}

const expectedCodes = ["unsupported_media_type", "payload_too_large", "invalid_image"];

if (process.argv[2] !== undefined) {
  const { seed, from, to, folder, indexFile, decoder, ...settings } = jobSchema.parse(JSON.parse(process.argv[2]));
  const { decodeImage }: typeof import("../../../captioner/images/decode-image.ts") = await import(decoder);
  const originals = readdirSync(folder)
    .toSorted()
    .map((name) => new Uint8Array(readFileSync(join(folder, name))));
  const outcome: Outcome = { decoded: 0, refused: {}, failures: [] };
  const { width, height } = settings.preprocessing;
  const place = openSync(indexFile, "w");
  for (let index = from; index < to; index++) {
    writeSync(place, String(index).padEnd(12), 0);
    try {
      const { pixels, image } = await decodeImage(mutatedImage(originals, { seed, index }), {
        ...settings,
        allowHeic: true,
      });
      imageInfoSchema.parse(image);
      if (pixels.length !== width * height * 3) throw new Error(`${pixels.length} bytes of pixels`);
      outcome.decoded += 1;
    } catch (error) {
      const code = error instanceof CaptionError && expectedCodes.includes(error.code) ? error.code : undefined;
      const isOurs = error instanceof Error && error.cause instanceof TypeError; // a mistake of ours, not the file's
      if (code === undefined || isOurs) outcome.failures.push({ index, why: String(error) });
      else outcome.refused[code] = (outcome.refused[code] ?? 0) + 1;
    }
  }
  process.send?.(outcome);
}
