import type { Context } from "hono";
import * as z from "zod";
import { defaultCaptionOptions } from "../../shared/caption-options.ts";
import type { EdgeEnv } from "../context.ts";
import { readBody } from "../read-body.ts";
import { type CheckedPhoto, checkPhoto, type UploadLimits } from "../upload.ts";
import { handlePhoto } from "../upload-handler.ts";
import { decodeBase64Photo, readBase64Json } from "./base64-photo.ts";
import { facadeResponse } from "./facade.ts";

/** Ignores `parameters`, which steer models that generate text freely: this one has nothing that they name. */
const requestSchema = z.object({ inputs: z.string("expected a photo in base64") });

/**
 * `POST /models/…` of Hugging Face's Inference API, task image-to-text, for any model's name: the photo is the body, of any
 * media type, or `inputs` of a JSON body, in base64.
 */
export function handleHuggingFace(c: Context<EdgeEnv>): Promise<Response> {
  return handlePhoto(c, {
    options: defaultCaptionOptions,
    read: readPhoto,
    respond: (caption) => {
      const answer = { generated_text: caption.result.caption };
      return facadeResponse(c, { body: readsOneAnswer(c.req.header("User-Agent")) ? answer : [answer], caption });
    },
  });
}

/** Their JavaScript client reads an object from 4.13.15 on; older ones and the Python client read a list of one. */
function readsOneAnswer(userAgent: string | undefined): boolean {
  const [, ...version] = /^@huggingface\/inference\/(\d+)\.(\d+)\.(\d+)/.exec(userAgent ?? "") ?? [];
  const [major = 0, minor = 0, patch = 0] = version.map(Number);
  return major > 4 || (major === 4 && (minor > 13 || (minor === 13 && patch >= 15)));
}

async function readPhoto(request: Request, limits: UploadLimits): Promise<CheckedPhoto> {
  const isJson = /^application\/json\b/i.test(request.headers.get("Content-Type") ?? "");
  const { maxBytes, arrival, hold } = limits;
  const bytes = isJson
    ? decodeBase64Photo((await readBase64Json(request, { ...limits, schema: requestSchema })).inputs, "inputs")
    : await readBody(request, { maxBytes, kind: "an image", arrival, hold });
  return checkPhoto(bytes, limits);
}
