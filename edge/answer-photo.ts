import type { Context } from "hono";
import type { CaptionOptions, CaptionResult } from "../shared/contract.ts";
import type { BufferHold } from "./buffer-hold.ts";
import { type Caption, resultForFile } from "./caption-cache.ts";
import type { EdgeEnv } from "./edge-env.ts";
import { isolateState } from "./isolate-state.ts";
import { obtainCaption } from "./obtain-caption.ts";
import { timePhase } from "./request-record.ts";
import type { Photo, UploadLimits } from "./upload.ts";

interface PhotoRoute {
  options: CaptionOptions;
  read: (request: Request, limits: UploadLimits) => Promise<Photo>;
  /** `result` is the caption's for the file that came. */
  respond: (caption: Caption, result: CaptionResult) => Response | Promise<Response>;
}

/** Any route that takes a photo: validate, digest, look into the cache, forward, answer in the route's own shape. */
export function answerPhoto(c: Context<EdgeEnv>, route: PhotoRoute): Promise<Response> {
  const holds = {
    hold: isolateState.uploads.holdFor(c.get("caller")),
    questionHold: isolateState.questions.holdFor(c.get("caller")),
  };
  const answer = answerHeldPhoto(c, { ...route, ...holds }).finally(() => {
    for (const hold of Object.values(holds)) hold.release();
  });
  // A client that leaves ends its request there and then, and `finally` with it, unless waitUntil holds the work.
  c.executionCtx.waitUntil(answer.catch(() => undefined));
  return answer;
}

async function answerHeldPhoto(
  c: Context<EdgeEnv>,
  { options, read, respond, ...holds }: PhotoRoute & Record<"hold" | "questionHold", BufferHold>,
): Promise<Response> {
  const photo = await timePhase(c, "upload", read(c.req.raw, { ...uploadLimits(c), ...holds }));
  c.get("record").bytes = photo.bytes.length;
  const caption = await obtainCaption(c, { photo, options });
  return respond(caption, resultForFile(caption.result, { id: photo.id, bytes: photo.bytes.length }));
}

function uploadLimits(c: Context<EdgeEnv>): Omit<UploadLimits, "hold" | "questionHold"> {
  const { maxBytes, maxPixels, maxAvifPixels, allowHeic, sourceHosts, serviceOrigins, ...settings } = c.get("settings");
  const { minBytesPerSecond, bodyTimeoutMs, sourceTimeoutMs } = settings;
  const ownHosts = [c.req.url, ...serviceOrigins].map((address) => new URL(address).hostname);
  const source = {
    rules: { hosts: sourceHosts, ownHosts },
    arrival: { timeoutMs: sourceTimeoutMs, minBytesPerSecond },
  };
  return {
    maxBytes,
    maxPixels,
    maxAvifPixels,
    allowHeic,
    arrival: { timeoutMs: bodyTimeoutMs, minBytesPerSecond },
    source,
  };
}
