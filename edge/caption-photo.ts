import type { Context } from "hono";
import { wrapTime } from "hono/timing";
import { type CaptionOptions, parseCaptionOptions } from "../shared/contract.ts";
import { BufferHold } from "./buffer-hold.ts";
import type { FoundCaption, StoredCaption } from "./caption-cache.ts";
import { captionResponse } from "./caption-response.ts";
import type { EdgeEnv } from "./edge-env.ts";
import { type Photo, readUpload, type UploadLimits } from "./upload.ts";

/** `POST /v1/captions`: validate, digest, look into the cache, forward. */
export function captionPhoto(c: Context<EdgeEnv>): Promise<Response> {
  const options = parseCaptionOptions(new URL(c.req.url).searchParams);
  const hold = new BufferHold();
  const answer = answerUpload(c, { options, hold }).finally(() => hold.release());
  // A client that leaves ends its request there and then, and `finally` with it, unless waitUntil holds the work.
  c.executionCtx.waitUntil(answer.catch(() => undefined));
  return answer;
}

async function answerUpload(
  c: Context<EdgeEnv>,
  { options, hold }: { options: CaptionOptions; hold: BufferHold },
): Promise<Response> {
  const photo = await wrapTime(c, "upload", readUpload(c.req.raw, { ...uploadLimits(c), hold }));
  const found = await wrapTime(c, "cache", findCaption(c, { photo, options }));
  const caption = found ?? (await wrapTime(c, "service", forward(c, { photo, options })));
  return captionResponse(c, { id: photo.id, options, caption });
}

function uploadLimits(c: Context<EdgeEnv>): Omit<UploadLimits, "hold"> {
  const { maxBytes, maxPixels, bodyTimeoutMs, sourceHosts, sourceTimeoutMs, serviceOrigin } = c.get("settings");
  const ownHosts = [c.req.url, serviceOrigin].map((address) => new URL(address).hostname);
  const source = { rules: { hosts: sourceHosts, ownHosts }, timeoutMs: sourceTimeoutMs };
  return { maxBytes, maxPixels, timeoutMs: bodyTimeoutMs, source };
}

interface CaptionRequest {
  photo: Photo;
  options: CaptionOptions;
}

async function findCaption(c: Context<EdgeEnv>, { photo, options }: CaptionRequest): Promise<FoundCaption | null> {
  const revision = await c.get("revision").current();
  return revision === null ? null : c.get("cache").find({ id: photo.id, revision, options });
}

/** Stores the result under the revision that made it, whichever we looked for. */
async function forward(c: Context<EdgeEnv>, { photo, options }: CaptionRequest): Promise<StoredCaption> {
  const askedAtMs = Date.now();
  const result = await c.get("service").caption(photo, options);
  const { revision } = result.model;
  const caption = { body: JSON.stringify(result), storedAtMs: Date.now() };
  c.get("revision").learn(revision, { askedAtMs });
  c.get("cache").store({ id: photo.id, revision, options }, caption);
  return caption;
}
