import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { EncoderBundle } from "../../captioner/bundle.ts";
import { encoderRevision } from "../bundles.ts";
import type { PreparedPhoto } from "../prepared.ts";
import { stageFolder, type TrainContext } from "../stage.ts";
import { type FeatureKind, FeatureStore } from "./feature-store.ts";

/** `featureSummarySchema`. */
export const featureSummaryFile = "summary.json";

/** Returns the name of a store, one per encoder: returning to an earlier encoder finds its features again. */
export function storeName({ encoder }: FeatureKind): string {
  return `features-${encoder}`;
}

/** Contents of `summary.json`: what the store holds, and which photos it lacks. */
export const featureSummarySchema = z.strictObject({
  encoder: z.string(),
  rows: z.int().nonnegative(),
  /** Photos that cannot be decoded, and why. */
  leftOut: z.array(z.strictObject({ file: z.string(), sha256: z.string(), reason: z.string() })),
});

/** Features of photos in their order, without the photos that cannot be decoded. */
export interface PhotoFeatures {
  photos: PreparedPhoto[];
  featureSize: number;
  /** float32 [photos, featureSize]. */
  features: Float32Array;
  /** Features of the mirror images, of the same shape, if they were asked for. */
  mirrored?: Float32Array;
}

/** Reads the features of these photos. Throws a sentence if a photo has none. */
export async function readFeatures(
  context: TrainContext,
  { photos, mirrored: isMirroredToo = false }: { photos: readonly PreparedPhoto[]; mirrored?: boolean },
): Promise<PhotoFeatures> {
  const folder = stageFolder(context, "features");
  const summary = JSON.parse(await readFile(join(folder, featureSummaryFile), "utf8"));
  const { leftOut } = featureSummarySchema.parse(summary);
  const undecodable = new Set(leftOut.map(({ sha256 }) => sha256)); // under any name
  const there = photos.filter(({ sha256 }) => !undecodable.has(sha256));
  const kind = await featureKindOf(await context.bundles.source());
  const store = await FeatureStore.openToRead(join(folder, storeName(kind)), kind);
  const readAll = async (isMirrored: boolean): Promise<Float32Array> => {
    const all = new Float32Array(there.length * store.featureSize);
    for (const [index, { sha256 }] of there.entries()) {
      all.set(await store.read({ sha256, isMirrored }), index * store.featureSize);
    }
    return all;
  };
  try {
    return {
      photos: there,
      featureSize: store.featureSize,
      features: await readAll(false),
      ...(isMirroredToo ? { mirrored: await readAll(true) } : {}),
    };
  } finally {
    await store.close();
  }
}

/** Returns the kind of features that a bundle's encoder makes. */
export async function featureKindOf(bundle: EncoderBundle): Promise<FeatureKind> {
  return { encoder: await encoderRevision(bundle), featureSize: bundle.manifest.encoder.featureSize };
}
