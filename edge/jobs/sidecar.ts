import type { CaptionResult } from "../../shared/contract.ts";

/** R2's limit for a key, in bytes. */
const maxKeyBytes = 1024;
const mark = { "edge-caption": "sidecar" };

/**
 * Writes a photo's result beside it, as its key with `.json` at the end. A key that would get too long has no sidecar, and one
 * that somebody else has written stays: exports of photo libraries have files of this name.
 */
export async function writeSidecar(bucket: R2Bucket, key: string, result: CaptionResult): Promise<void> {
  const name = sidecarKey(key);
  if (new TextEncoder().encode(name).length > maxKeyBytes) return;
  const found = await bucket.head(name);
  if (found !== null && !isOurs(found)) return;
  await bucket.put(name, `${JSON.stringify(result)}\n`, {
    onlyIf: found === null ? { etagDoesNotMatch: "*" } : { etagMatches: found.etag }, // somebody may write it meanwhile
    httpMetadata: { contentType: "application/json" },
    customMetadata: mark,
  });
}

/** Deletes the sidecar of a photo that is gone, if it is one of ours. */
export async function deleteSidecar(bucket: R2Bucket, key: string): Promise<void> {
  const found = await bucket.head(sidecarKey(key));
  if (found !== null && isOurs(found)) await bucket.delete(found.key);
}

function isOurs({ customMetadata }: R2Object): boolean {
  return customMetadata?.["edge-caption"] === mark["edge-caption"];
}

function sidecarKey(key: string): string {
  return `${key}.json`;
}
