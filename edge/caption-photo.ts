import type { Context } from "hono";
import { type CaptionOptions, parseCaptionOptions } from "../shared/contract.ts";
import { BufferHold } from "./buffer-hold.ts";
import { resultForFile } from "./caption-cache.ts";
import { captionResponse } from "./caption-response.ts";
import type { EdgeEnv } from "./edge-env.ts";
import { obtainCaption } from "./obtain-caption.ts";
import { timePhase } from "./request-record.ts";
import { readUpload, type UploadLimits } from "./upload.ts";

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
  const photo = await timePhase(c, "upload", readUpload(c.req.raw, { ...uploadLimits(c), hold }));
  c.get("record").bytes = photo.bytes.length;
  const caption = await obtainCaption(c, { photo, options });
  const result = resultForFile(caption.result, { id: photo.id, bytes: photo.bytes.length });
  return captionResponse(c, { id: photo.id, options, caption, result });
}

function uploadLimits(c: Context<EdgeEnv>): Omit<UploadLimits, "hold"> {
  const { maxBytes, maxPixels, bodyTimeoutMs, sourceHosts, sourceTimeoutMs, serviceOrigins } = c.get("settings");
  const ownHosts = [c.req.url, ...serviceOrigins].map((address) => new URL(address).hostname);
  const source = { rules: { hosts: sourceHosts, ownHosts }, timeoutMs: sourceTimeoutMs };
  return { maxBytes, maxPixels, timeoutMs: bodyTimeoutMs, source };
}
