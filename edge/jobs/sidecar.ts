import type { CaptionResult } from "../../shared/contract.ts";
import type { SidecarForm } from "../../shared/jobs.ts";
import { xmpPacket } from "../../shared/xmp-packet.ts";

/** R2's limit for a key, in bytes. */
const maxKeyBytes = 1024;
const mark = { "edge-caption": "sidecar" };

interface Sidecar {
  /** The photo's key. */
  key: string;
  form: SidecarForm;
}

/**
 * Writes a photo's result beside it, as its key with `.json` or `.xmp` at the end. A key that would get too long has no
 * sidecar, and one that somebody else has written stays: exports of photo libraries have files of this name.
 */
export async function writeSidecar(bucket: R2Bucket, { key, form }: Sidecar, result: CaptionResult): Promise<void> {
  const name = `${key}.${form}`;
  if (new TextEncoder().encode(name).length > maxKeyBytes) return;
  const found = await bucket.head(name);
  if (found !== null && !isOurs(found)) return;
  if (form === "xmp" && found === null && (await bucket.head(stemName(key))) !== null) return; // ours would hide it
  await bucket.put(name, form === "json" ? `${JSON.stringify(result)}\n` : await xmpPacket(result), {
    onlyIf: found === null ? { etagDoesNotMatch: "*" } : { etagMatches: found.etag }, // somebody may write it meanwhile
    httpMetadata: { contentType: form === "json" ? "application/json" : "application/rdf+xml" },
    customMetadata: mark,
  });
}

/** Deletes the sidecar of a photo that is gone, if it is one of ours. */
export async function deleteSidecar(bucket: R2Bucket, { key, form }: Sidecar): Promise<void> {
  const found = await bucket.head(`${key}.${form}`);
  if (found !== null && isOurs(found)) await bucket.delete(found.key);
}

function isOurs({ customMetadata }: R2Object): boolean {
  return customMetadata?.["edge-caption"] === mark["edge-caption"];
}

/** Lightroom's name for an XMP sidecar: `photo.xmp` for `photo.jpg`. */
function stemName(key: string): string {
  return `${key.replace(/\.[^./]*$/, "")}.xmp`;
}
