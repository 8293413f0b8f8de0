import type { Context } from "hono";
import { formResult } from "../shared/caption-form.ts";
import { type CaptionOptions, parseCaptionOptions, searchOf } from "../shared/caption-options.ts";
import type { CaptionResult } from "../shared/contract.ts";
import type { BufferHold } from "./buffer-hold.ts";
import { type Caption, resultForFile } from "./caption-cache.ts";
import { captionResponse } from "./caption-response.ts";
import type { EdgeEnv } from "./context.ts";
import { type CaptionScope, findOrMakeCaption } from "./find-or-make-caption.ts";
import { isolateState } from "./isolate-state.ts";
import { timePhase } from "./request-record.ts";
import { type CheckedPhoto, readUpload, type UploadLimits } from "./upload.ts";

interface PhotoRoute {
  options: CaptionOptions;
  read: (request: Request, limits: UploadLimits) => Promise<CheckedPhoto>;
  /** `result` is the caption's result for the uploaded file, in the form that was asked for. */
  respond: (caption: Caption, result: CaptionResult) => Response | Promise<Response>;
}

type Holds = Record<"hold" | "jsonHold", BufferHold>;

/** `POST /v1/captions`. */
export function handleUpload(c: Context<EdgeEnv>): Promise<Response> {
  const options = parseCaptionOptions(new URL(c.req.url).searchParams);
  return handlePhoto(c, {
    options,
    read: readUpload,
    respond: (caption, result) => captionResponse(c, { id: result.id, options, caption, result }),
  });
}

/** Handles any route that takes a photo: reads and checks it, finds or makes its caption, answers in the route's own shape. */
export function handlePhoto(c: Context<EdgeEnv>, route: PhotoRoute): Promise<Response> {
  const holds = {
    hold: isolateState.uploads.holdFor(c.get("caller")),
    jsonHold: isolateState.jsonBodies.holdFor(c.get("caller")),
  };
  const answer = answerPhoto(c, { ...route, ...holds }).finally(() => {
    for (const hold of Object.values(holds)) hold.release();
  });
  // When a client leaves, the runtime ends its request and skips `finally`, unless waitUntil holds the work.
  c.executionCtx.waitUntil(answer.catch(() => undefined));
  return answer;
}

async function answerPhoto(
  c: Context<EdgeEnv>,
  { options, read, respond, ...holds }: PhotoRoute & Holds,
): Promise<Response> {
  const photo = await timePhase(c, "upload", read(c.req.raw, { ...uploadLimits(c), ...holds }));
  c.get("record").bytes = photo.bytes.length;
  const caption = await findOrMakeCaption(scopeOf(c), { photo, options: searchOf(options) });
  const result = resultForFile(caption.result, { id: photo.id, bytes: photo.bytes.length });
  return respond(caption, formResult(result, options));
}

function scopeOf(c: Context<EdgeEnv>): CaptionScope {
  return {
    ...c.var,
    caller: `${c.get("tier")} ${c.get("caller")}`,
    waitUntil: (work) => c.executionCtx.waitUntil(work),
    time: (phase, work) => timePhase(c, phase, work),
  };
}

function uploadLimits(c: Context<EdgeEnv>): Omit<UploadLimits, keyof Holds> {
  const { maxBytes, maxPixels, maxAvifPixels, allowHeic, sourceHosts, serviceOrigins, ...settings } = c.get("settings");
  const { minBytesPerSecond, bodyTimeoutMs, sourceTimeoutMs } = settings;
  const ownHosts = [c.req.url, ...serviceOrigins].map((address) => new URL(address).hostname);
  return {
    maxBytes,
    maxPixels,
    maxAvifPixels,
    allowHeic,
    arrival: { timeoutMs: bodyTimeoutMs, minBytesPerSecond },
    source: {
      rules: { hosts: sourceHosts, ownHosts },
      arrival: { timeoutMs: sourceTimeoutMs, minBytesPerSecond },
    },
  };
}
