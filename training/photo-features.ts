import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { type EncoderBundle, openEncoder } from "../gpu-service/bundle.ts";
import { encoderRevision } from "./encoder-revision.ts";
import { type FeatureKind, FeatureStore } from "./feature-store.ts";
import type { PreparedPhoto } from "./prepared.ts";
import { stageFolder, type TrainContext } from "./stage.ts";
import { readOutputs } from "./stage-record.ts";

export const featureFiles = {
  /** Of the store: `features.bin`, `features.jsonl`. */
  store: "features",
  /** `featureSummarySchema`. */
  summary: "summary.json",
} as const;

/** What is in the store, and what is not. */
export const featureSummarySchema = z.strictObject({
  encoder: z.string(),
  rows: z.int().nonnegative(),
  /** Photos that cannot be decoded, by their path. */
  leftOut: z.record(z.string(), z.string()),
});

/** Photos in their order, without those that cannot be decoded, with their features. */
export interface PhotoFeatures {
  photos: PreparedPhoto[];
  featureSize: number;
  /** float32 [photos, featureSize]. */
  features: Float32Array;
  /** Those of the mirror images, of the same shape, where they were wanted. */
  mirrored?: Float32Array;
}

/** Reads what `features` wrote for these photos. Throws a sentence where that is not whole. */
export async function readFeatures(
  context: TrainContext,
  { photos, mirrored: isMirroredToo = false }: { photos: readonly PreparedPhoto[]; mirrored?: boolean },
): Promise<PhotoFeatures> {
  const folder = stageFolder(context, "features");
  await readOutputs(folder, "features");
  const summary = JSON.parse(await readFile(join(folder, featureFiles.summary), "utf8"));
  const { leftOut } = featureSummarySchema.parse(summary);
  const there = photos.filter(({ file }) => !Object.hasOwn(leftOut, file));
  const store = await FeatureStore.openExisting(
    join(folder, featureFiles.store),
    kindOf(await openEncoder(encoderBundleOf(context))),
  );
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

/** The bundle whose encoder is used: the one that training goes on from, where it does. */
export function encoderBundleOf({ settings }: TrainContext): string {
  return settings.from ?? settings.encoder;
}

export function kindOf({ manifest }: EncoderBundle): FeatureKind {
  return { encoder: encoderRevision(manifest), featureSize: manifest.encoder.featureSize };
}
