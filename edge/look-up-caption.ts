import type { Context } from "hono";
import { wrapTime } from "hono/timing";
import { byteIdSchema, captionQuery, contentIdSchema, parseCaptionOptions, quote } from "../shared/contract.ts";
import { CaptionError } from "../shared/errors.ts";
import { captionResponse } from "./caption-response.ts";
import type { EdgeEnv } from "./edge-env.ts";

/** `GET` and `HEAD /v1/captions/{id}`: what the cache holds, and never a model run. */
export async function lookUpCaption(c: Context<EdgeEnv>): Promise<Response> {
  const id = parsePhotoId(c.req.param("id") ?? "");
  const options = parseCaptionOptions(new URL(c.req.url).searchParams);
  const known = c.get("revision");
  const revision = (await known.current()) ?? (await known.ask());
  const caption = await wrapTime(c, "cache", c.get("cache").find({ id, revision, options }));
  if (caption === null) {
    throw new CaptionError("not_found", `no caption is stored for ${id} with ${captionQuery(options)}: post the photo`);
  }
  return captionResponse(c, { id, options, caption });
}

function parsePhotoId(text: string): string {
  if (byteIdSchema.safeParse(text).success || contentIdSchema.safeParse(text).success) return text;
  throw new CaptionError(
    "invalid_request",
    `expected an id such as sha256: or content: and 64 lower-case hexadecimal digits, received ${quote(text)}`,
  );
}
