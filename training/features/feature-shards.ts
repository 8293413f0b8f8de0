import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { say } from "../../terminal/progress.ts";
import type { Shard } from "../settings.ts";
import { type FeatureKey, type FeatureKind, FeatureStore, readInBatches } from "./feature-store.ts";

/** Of a shard's store, beside the whole one. */
export function shardName({ number, of }: Shard, { encoder }: FeatureKind): string {
  return `features-${encoder}-shard-${number}-of-${of}`;
}

/** By the photo's bytes, so that a photo's shard stays the same when others come. */
export function isIn({ number, of }: Shard, sha256: string): boolean {
  return Number.parseInt(sha256.slice(0, 8), 16) % of === number - 1;
}

/** Copies what the folder's shards have of what is wanted. */
export async function takeOverShards(
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
