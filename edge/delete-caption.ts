import type { Context } from "hono";
import { allCaptionOptions, type Deletion, type PhotoId, quote } from "../shared/contract.ts";
import { CaptionError } from "../shared/errors.ts";
import { isByteId } from "./caption-cache.ts";
import type { EdgeEnv } from "./edge-env.ts";
import { flightKey } from "./join-flight.ts";
import { describeError, log } from "./log.ts";
import { readPhotoId } from "./look-up-caption.ts";

/** How long other data centres may go on reading what KV no longer has. */
const kvLagSeconds = 60;

/**
 * `DELETE /v1/captions/{id}`: a photo's captions by the model in service, whatever the options. Takes them out of KV, this
 * data centre's cache and the memory of flights, and says how long another data centre may still answer with them.
 */
export async function deleteCaption(c: Context<EdgeEnv>): Promise<Response> {
  expectNoQuery(c);
  const id = readPhotoId(c);
  const revision = await c.get("revision").currentOrAsk();
  const { nearCacheSeconds, cacheTtlSeconds } = c.get("settings");
  const file = isByteId(id) ? await c.get("cache").findFile(id) : null;
  const photoId = file?.contentId ?? id;
  const [isOutOfKv] = await Promise.all([
    c.get("cache").remove({ photoId, revision, id }),
    forgetFlights(c, { photoId, revision }),
  ]);
  const lastsSeconds = isOutOfKv ? Math.max(nearCacheSeconds, kvLagSeconds) : cacheTtlSeconds;
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

async function forgetFlights(
  c: Context<EdgeEnv>,
  { photoId, revision }: { photoId: PhotoId; revision: string },
): Promise<void> {
  const { namespace } = c.get("flights");
  const keys = allCaptionOptions.map((options) => flightKey({ photoId, revision, options }));
  try {
    await Promise.all(keys.map((key) => namespace.getByName(key).forget()));
  } catch (error) {
    log("warn", "a flight could not be told to forget", { error: describeError(error) });
  }
}
