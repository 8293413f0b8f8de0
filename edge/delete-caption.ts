import type { Context } from "hono";
import { type Deletion, quote } from "../shared/contract.ts";
import { CaptionError } from "../shared/errors.ts";
import { isByteId } from "./caption-cache.ts";
import type { EdgeEnv } from "./edge-env.ts";
import { eraseCaptions } from "./erase-captions.ts";
import { readPhotoId } from "./look-up-caption.ts";
import { secondLookSeconds } from "./photo-tombstone.ts";

/** How long other data centres may go on reading what KV no longer has. */
const kvLagSeconds = 60;

/**
 * `DELETE /v1/captions/{id}`: a photo's captions by the model in service, whatever the options, and by what is under way. Says
 * how long another data centre may still answer with them.
 */
export async function deleteCaption(c: Context<EdgeEnv>): Promise<Response> {
  expectNoQuery(c);
  const id = readPhotoId(c);
  const revision = await c.get("revision").currentOrAsk();
  const file = isByteId(id) ? await c.get("cache").findFile(id) : null;
  const secondLook = isByteId(id) && file === null ? { id, revision } : undefined;
  const parts = { cache: c.get("cache"), deletions: c.get("deletions"), flights: c.get("flights").namespace };
  const photoId = file?.contentId ?? id;
  const files = secondLook === undefined ? [id] : []; // what leads on from it must still be there at the second look
  const isSure = await eraseCaptions(parts, { ids: [id, photoId], files, photoId, revision, secondLook });
  const { nearCacheSeconds, cacheTtlSeconds } = c.get("settings");
  // What KV told another data centre at the last moment stays in that one's cache.
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
