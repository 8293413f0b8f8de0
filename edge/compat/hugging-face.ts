import type { Context } from "hono";
import * as z from "zod";
import { defaultCaptionOptions } from "../../shared/contract.ts";
import { CaptionError } from "../../shared/errors.ts";
import { answerPhoto } from "../answer-photo.ts";
import type { EdgeEnv } from "../edge-env.ts";
import { parseRequestJson } from "../parse-json.ts";
import { readBody, readJsonBody } from "../read-body.ts";
import { checkPhoto, type Photo, tooManyBytes, type UploadLimits } from "../upload.ts";
import { facadeResponse } from "./facade.ts";

/** Of a photo within JSON: as text it takes several times its size of an isolate's memory. As bytes, MAX_BYTES counts. */
const maxBase64Bytes = 4 * 1024 * 1024;
/** Of a JSON body around the photo. */
const jsonFramingBytes = 16 * 1024;

/** `parameters`, which may stand beside it, steer models that write freely; this one has nothing that they would name. */
const requestSchema = z.object({ inputs: z.string("expected a photo in base64") });

/**
 * `POST /models/…` of Hugging Face's Inference API, task image-to-text, whichever model is named: the photo as the body,
 * whatever its type says, or in base64 as `inputs` of a JSON body.
 */
export function captionAsHuggingFace(c: Context<EdgeEnv>): Promise<Response> {
  return answerPhoto(c, {
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

async function readPhoto(request: Request, limits: UploadLimits): Promise<Photo> {
  const isJson = /^application\/json\b/i.test(request.headers.get("Content-Type") ?? "");
  return checkPhoto(isJson ? await readBase64(request, limits) : await readRaw(request, limits), limits);
}

function readRaw(request: Request, { maxBytes, arrival, hold }: UploadLimits): Promise<Uint8Array<ArrayBuffer>> {
  const tooMany = (received: number | "more") => tooManyBytes({ maxBytes, received });
  return readBody(request, { maxBytes, tooManyBytes: tooMany, arrival, hold });
}

async function readBase64(request: Request, { arrival, hold }: UploadLimits): Promise<Uint8Array<ArrayBuffer>> {
  const maxBytes = Math.ceil(maxBase64Bytes / 3) * 4 + jsonFramingBytes;
  const { inputs } = parseRequestJson(await readJsonBody(request, { arrival, hold, maxBytes }), requestSchema);
  const text = decodeBase64(inputs);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index); // `from` would hold each as a string
  return bytes;
}

/** Bytes as characters. */
function decodeBase64(text: string): string {
  try {
    return atob(text);
  } catch (cause) {
    throw new CaptionError("invalid_request", "inputs: expected a photo in base64", { cause });
  }
}
