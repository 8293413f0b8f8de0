import type { Context } from "hono";
import { formResult } from "../shared/caption-form.ts";
import { type CaptionOptions, captionQuery, parseCaptionOptions, searchOf } from "../shared/caption-options.ts";
import { type LookupReply, lookupRequestSchema, type PhotoId, photoIdSchema } from "../shared/contract.ts";
import { CaptionError, quote } from "../shared/errors.ts";
import { isByteId, resultForFile } from "./caption-cache.ts";
import { captionResponse } from "./caption-response.ts";
import type { EdgeEnv } from "./context.ts";
import { isolateState } from "./isolate-state.ts";
import { readJson } from "./read-body.ts";
import { timePhase } from "./request-record.ts";

/** `GET` and `HEAD /v1/captions/{id}`: answers from the cache and never runs the model. */
export async function handleLookup(c: Context<EdgeEnv>): Promise<Response> {
  const id = readPhotoId(c);
  const options = readOptions(c);
  const revision = await c.get("revision").currentOrAsk(); // a 404 says that this revision made no caption
  const cache = c.get("cache");
  const file = isByteId(id) ? await timePhase(c, "cache", cache.findFile(id)) : null;
  const photoId = file?.contentId ?? id;
  const caption = await timePhase(c, "cache", cache.find({ photoId, revision, options: searchOf(options) }));
  if (caption === null) {
    throw new CaptionError("not_found", `no caption is stored for ${id} with ${captionQuery(options)}: post the photo`);
  }
  const isForFile = file !== null && isByteId(id);
  const result = isForFile ? resultForFile(caption.result, { id, bytes: file.bytes }) : caption.result;
  return captionResponse(c, { id, options, caption, result: formResult(result, options) });
}

/** `POST /v1/captions/lookup`: says which of many photos have a caption, so that only the others need to be uploaded. */
export async function handleBatchLookup(c: Context<EdgeEnv>): Promise<Response> {
  const options = readOptions(c);
  const ids = [...new Set(await readIds(c))];
  const revision = await c.get("revision").currentOrAsk();
  const found = await timePhase(c, "cache", c.get("cache").findMany(ids, { revision, options: searchOf(options) }));
  const results = [...found].map(([id, result]) => [id, formResult(result, options)]);
  const reply: LookupReply = { found: Object.fromEntries(results), missing: ids.filter((id) => !found.has(id)) };
  return c.json(reply, 200, { "Cache-Control": "no-store, no-transform" });
}

/** Reads the photo's id from a request's path. Throws `invalid_request` for anything else. */
export function readPhotoId(c: Context<EdgeEnv>): PhotoId {
  const parsed = photoIdSchema.safeParse(c.req.param("id"));
  if (parsed.success) return parsed.data;
  throw new CaptionError(
    "invalid_request",
    `expected an id such as sha256: or content: and 64 lower-case hexadecimal digits, received ${quote(c.req.param("id") ?? "")}`,
  );
}

function readOptions(c: Context<EdgeEnv>): CaptionOptions {
  return parseCaptionOptions(new URL(c.req.url).searchParams);
}

async function readIds(c: Context<EdgeEnv>): Promise<PhotoId[]> {
  const { bodyTimeoutMs: timeoutMs, minBytesPerSecond } = c.get("settings");
  const hold = isolateState.jsonBodies.holdFor(c.get("caller"));
  const limits = { schema: lookupRequestSchema, arrival: { timeoutMs, minBytesPerSecond }, hold };
  const request = readJson(c.req.raw, limits).finally(() => hold.release());
  // When a client leaves, the runtime ends its request and skips `finally`, unless waitUntil holds the work.
  c.executionCtx.waitUntil(request.catch(() => undefined));
  return (await request).ids;
}
