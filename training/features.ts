import { mkdir, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type * as z from "zod";
import type { EncoderBundle } from "../captioner/bundle.ts";
import { startEngineProcess } from "../captioner/engines/engine-process.ts";
import { joinRows } from "../captioner/vectors.ts";
import { isInShard, type Shard, shardPath } from "../files/shard.ts";
import { say, showProgress } from "../terminal/progress.ts";
import { encoderRevision } from "./bundles.ts";
import { encodePhotos, type PhotoToEncode } from "./features/encode-photos.ts";
import { type FeatureKey, type FeatureKind, FeatureStore, readInBatches } from "./features/feature-store.ts";
import { featureKindOf, featureSummaryFile, type featureSummarySchema, storeName } from "./features/photo-features.ts";
import { prepare } from "./prepare.ts";
import { type PreparedPhoto, preparedFiles, readPrepared } from "./prepared.ts";
import type { Stage, TrainContext } from "./stage.ts";

/** Photos that are encoded between two writes; a kill costs at most these. A multiple of the engine's batch. */
const photosAtOnce = 64;

/**
 * Reads `prepare`'s photos and an encoder. Writes into `features/`: `features-<encoder>.bin`, float32 [rows,
 * featureSize]; its index `.jsonl` (see `feature-store.ts`); `summary.json`. With `--shard 3/16` it encodes a sixteenth
 * of them into `features-<encoder>-shard-3-of-16.bin` and `.jsonl`, which a run without `--shard` takes over.
 */
export const features: Stage = {
  name: "features",
  about: "runs the encoder over all photos, once for each photo and encoder",

  isAlwaysRun: ({ settings: { shard } }) => shard !== undefined,

  needs: [{ stage: prepare, files: { photos: preparedFiles.captions } }],

  async dependencies({ settings: { flips }, bundles }) {
    return { settings: { flips }, inputs: { encoder: await encoderRevision(await bundles.source()) } };
  },

  async run(context) {
    const { folder } = context;
    const { shard } = context.settings;
    const bundle = await context.bundles.source();
    const kind = await featureKindOf(bundle);
    await mkdir(folder, { recursive: true });
    const wanted = (await photosToEncode(context)).filter(
      ({ sha256 }) => shard === undefined || isInShard(shard, sha256),
    );
    const store = await FeatureStore.open(
      join(folder, shard === undefined ? storeName(kind) : shardName(shard, kind)),
      kind,
    );
    try {
      if (shard === undefined) await takeOverShards(store, { folder, kind, wanted });
      const missing = wanted.filter((photo) => !store.has(photo));
      const leftOut = await encodeInto(store, { photos: missing, known: wanted.length - missing.length, bundle });
      for (const { file, reason } of leftOut) say(`features: ${file} is left out: ${reason}`);
      const rows = wanted.filter((photo) => store.has(photo)).length;
      if (shard !== undefined) return say(`features: ${shardName(shard, kind)} has its ${rows} rows`);
      const summary: z.infer<typeof featureSummarySchema> = { encoder: kind.encoder, rows, leftOut };
      await context.save({
        written: [`${storeName(kind)}.bin`, `${storeName(kind)}.jsonl`],
        files: { [featureSummaryFile]: [`${JSON.stringify(summary, null, 2)}\n`] },
      });
    } finally {
      await store.close();
    }
  },
};

/** Lists every photo once, even if it has several names; then the mirror images of training photos, with `--flips`. */
async function photosToEncode(context: TrainContext): Promise<FeaturePhoto[]> {
  const { photos, photoFolder } = await readPrepared(context);
  const once = [...new Map(photos.toReversed().map((photo) => [photo.sha256, photo])).values()].toReversed();
  const toEncode =
    (isMirrored: boolean) =>
    ({ file, sha256 }: PreparedPhoto) => ({ file, path: resolve(photoFolder, file), sha256, isMirrored });
  const mirrored = context.settings.flips ? once.filter(({ split }) => split === "train") : [];
  return [...once.map(toEncode(false)), ...mirrored.map(toEncode(true))];
}

type LeftOut = z.infer<typeof featureSummarySchema>["leftOut"];

interface FeaturePhoto extends PhotoToEncode {
  file: string;
}

/** Encodes photos and adds their features to the store. Returns the photos that could not be decoded. */
async function encodeInto(
  store: FeatureStore,
  { photos, known, bundle }: { photos: readonly FeaturePhoto[]; known: number; bundle: EncoderBundle },
): Promise<LeftOut> {
  const leftOut: LeftOut = [];
  if (photos.length === 0) return leftOut;
  const engine = await startEngineProcess(bundle.folder, "auto");
  const all = known + photos.length;
  say(`features: ${photos.length} of ${all} photos to encode, on ${engine.identity.name} (${engine.identity.device})`);
  const progress = showProgress("features", { total: all, unit: "photos", done: known });
  const { preprocessing } = bundle.manifest;
  const leaveOut = ({ file, sha256, isMirrored }: FeaturePhoto, reason: string) => {
    if (!isMirrored) leftOut.push({ file, sha256, reason }); // its mirror image is left out, too
  };
  try {
    for (let from = 0; from < photos.length; from += photosAtOnce) {
      const rows: Float32Array[] = [];
      const keys: FeaturePhoto[] = [];
      for await (const batch of encodePhotos(photos.slice(from, from + photosAtOnce), {
        engine,
        preprocessing,
        leaveOut,
      })) {
        rows.push(batch.features);
        keys.push(...batch.photos);
        progress.advance(batch.photos.length);
      }
      await store.append(keys, joinRows(rows));
    }
  } finally {
    progress.end();
    await engine.close();
  }
  return leftOut;
}

/** Returns the name of a shard's store, which is beside the whole one. */
function shardName(shard: Shard, kind: FeatureKind): string {
  return shardPath(storeName(kind), shard);
}

/** Copies the wanted rows that the folder's shards have. */
async function takeOverShards(
  store: FeatureStore,
  { folder, kind, wanted }: { folder: string; kind: FeatureKind; wanted: readonly FeatureKey[] },
): Promise<void> {
  const shards = (await readdir(folder)).filter((name) => /-shard-\d+-of-\d+\.jsonl$/.test(name)).toSorted();
  const names = shards.filter((name) => name.startsWith(`features-${kind.encoder}-`));
  for (const name of names) {
    const shard = await FeatureStore.openToRead(join(folder, name.replace(/\.jsonl$/, "")), kind);
    try {
      const taken = wanted.filter((photo) => shard.has(photo) && !store.has(photo));
      for await (const { features, photos } of readInBatches(shard, taken)) await store.append(photos, features);
      if (taken.length > 0) say(`features: took ${taken.length} rows over from ${name}, which may be deleted`);
    } finally {
      await shard.close();
    }
  }
}
