import type { Context } from "hono";
import { wrapTime } from "hono/timing";
import type { CaptionOptions } from "../shared/contract.ts";
import { type Caption, cacheIdOf } from "./caption-cache.ts";
import type { EdgeEnv } from "./edge-env.ts";
import type { Photo } from "./upload.ts";

export interface CaptionRequest {
  photo: Photo;
  options: CaptionOptions;
}

/** A photo's caption: from the cache, or from the service. Throws what the service client throws. */
export async function obtainCaption(c: Context<EdgeEnv>, { photo, options }: CaptionRequest): Promise<Caption> {
  const known = c.get("revision");
  const revision = (await known.current()) ?? (await known.ask());
  const key = { photoId: cacheIdOf(photo), revision, options };
  const found = await wrapTime(c, "cache", c.get("cache").find(key));
  if (found === null) return wrapTime(c, "service", forward(c, { photo, options }));
  if (found.result.id !== photo.id) c.executionCtx.waitUntil(rememberFile(c, photo));
  return found;
}

/** Stores the result under the revision that made it, whichever we looked for. */
async function forward(c: Context<EdgeEnv>, { photo, options }: CaptionRequest): Promise<Caption> {
  const askedAtMs = Date.now();
  const { id, ...described } = await c.get("service").caption(photo, options);
  const { contentId } = photo;
  const result = { id, ...(contentId && { contentId }), ...described };
  const { revision } = result.model;
  const caption = { body: JSON.stringify(result), storedAtMs: Date.now() };
  c.get("revision").learn(revision, { askedAtMs });
  c.get("cache").store({ photoId: cacheIdOf(photo), revision, options }, caption);
  if (contentId) c.get("cache").storeFile(id, { contentId, bytes: photo.bytes.length });
  return { ...caption, result, from: "service" };
}

/** Lets look-ups find this file too, which shows what another file showed before. */
async function rememberFile(c: Context<EdgeEnv>, { id, contentId, bytes }: Photo): Promise<void> {
  const cache = c.get("cache");
  if (contentId && (await cache.findFile(id)) === null) cache.storeFile(id, { contentId, bytes: bytes.length });
}
