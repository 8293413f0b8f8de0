import { join } from "node:path";
import { Miniflare } from "miniflare";
import { type KeyRecord, keyEntry, newApiKey } from "../../shared/api-key.ts";

/**
 * Puts objects into the bucket that jobs read on this machine, and a new key that may start them into KV, both in the folder
 * where an edge keeps its state. Returns the key. No edge may run there meanwhile: two runtimes lock each other out of one state.
 */
export async function addJobPhotos(
  stateDir: string,
  objects: Iterable<[key: string, bytes: Uint8Array]>,
): Promise<string> {
  const place = (name: string) => join(stateDir, "v3", name);
  const runtime = new Miniflare({
    modules: true,
    script: "export default { fetch: () => new Response() };",
    kvNamespaces: { KEYS: "KEYS" },
    r2Buckets: { PHOTOS: "photos" },
    kvPersist: place("kv"),
    r2Persist: place("r2"),
  });
  try {
    const bucket = await runtime.getR2Bucket("PHOTOS");
    for (const [key, bytes] of objects) await bucket.put(key, bytes);
    const key = newApiKey();
    const { path, id } = await keyEntry(key);
    const createdAt = new Date().toISOString();
    const metadata: KeyRecord = { id, name: "test", scopes: ["jobs"], tier: "standard", createdAt };
    await (await runtime.getKVNamespace("KEYS")).put(path, id, { metadata });
    return key;
  } finally {
    await runtime.dispose();
  }
}
