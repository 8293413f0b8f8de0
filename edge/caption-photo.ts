import type { Context } from "hono";
import { parseCaptionOptions } from "../shared/contract.ts";
import { answerPhoto } from "./answer-photo.ts";
import { captionResponse } from "./caption-response.ts";
import type { EdgeEnv } from "./edge-env.ts";
import { readUpload } from "./upload.ts";

/** `POST /v1/captions`. */
export function captionPhoto(c: Context<EdgeEnv>): Promise<Response> {
  const options = parseCaptionOptions(new URL(c.req.url).searchParams);
  return answerPhoto(c, {
    options,
    read: readUpload,
    respond: (caption, result) => captionResponse(c, { id: result.id, options, caption, result }),
  });
}
