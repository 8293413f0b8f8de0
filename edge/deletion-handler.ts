import type { Context } from "hono";
import type { Deletion } from "../shared/contract.ts";
import { CaptionError, quote } from "../shared/errors.ts";
import { isByteId } from "./caption-cache.ts";
import type { EdgeEnv } from "./context.ts";
import { eraseCaptions } from "./deletions.ts";
import { readPhotoId } from "./lookup-handler.ts";
import { secondLookSeconds } from "./photo-tombstone.ts";

/** Time for which other data centres may still read what KV has deleted. */
const kvLagSeconds = 60;

/**
 * `DELETE /v1/captions/{id}`: deletes a photo's captions by the model in service, for all options, including those that are
 * being made. Says for how long another data centre may still answer with them.
 */
export async function handleDeletion(c: Context<EdgeEnv>): Promise<Response> {
  expectNoQuery(c);
  const id = readPhotoId(c);
  const revision = await c.get("revision").currentOrAsk();
  const file = isByteId(id) ? await c.get("cache").findFile(id) : null;
  const secondLook = isByteId(id) && file === null ? { id, revision } : undefined;
  const parts = { cache: c.get("cache"), deletions: c.get("deletions"), flights: c.get("flights").namespace };
  const photoId = file?.contentId ?? id;
  const files = secondLook === undefined ? [id] : []; // the second look needs a file entry that is written meanwhile
  const isSure = await eraseCaptions(parts, { ids: [id, photoId], files, photoId, revision, secondLook });
  const { nearCacheSeconds, cacheTtlSeconds } = c.get("settings");
  // A data centre that read KV at the last moment keeps the caption in its own cache.
  const lagSeconds = kvLagSeconds + (secondLook === undefined ? 0 : secondLookSeconds);
  const lastsSeconds = isSure ? lagSeconds + nearCacheSeconds : cacheTtlSeconds;
  const deletion: Deletion = { id, revision, lastsSeconds };
  return c.json(deletion, 200, { "Cache-Control": "no-store, no-transform" });
}

function expectNoQuery(c: Context<EdgeEnv>): void {
  const { search } = new URL(c.req.url);
  if (search === "") return;
  throw new CaptionError(
    "invalid_request",
    `expected no query: a photo's captions go together, received ${quote(search)}`,
  );
}
