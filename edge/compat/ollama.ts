import type { Context } from "hono";
import * as z from "zod";
import { defaultCaptionOptions } from "../../shared/caption-options.ts";
import type { CaptionResult } from "../../shared/contract.ts";
import { CaptionError } from "../../shared/errors.ts";
import type { EdgeEnv } from "../context.ts";
import { askModelCard } from "../status-handler.ts";
import { checkPhoto, type UploadLimits } from "../upload.ts";
import { handlePhoto } from "../upload-handler.ts";
import { decodeBase64Photo, readBase64Json } from "./base64-photo.ts";
import { facadeResponse } from "./facade.ts";

const imagesSchema = z.array(z.string()).nullish();
const commonSchema = { model: z.string().default(""), stream: z.boolean().default(true) };

/** Both ignore prompts, formats and options: this model describes a photo in one way. */
const generateSchema = z.object({ ...commonSchema, images: imagesSchema });
const chatSchema = z.object({ ...commonSchema, messages: z.array(z.object({ images: imagesSchema })).min(1) });

interface OllamaRequest {
  model: string;
  stream: boolean;
  /** In base64. */
  images: readonly string[];
}

interface OllamaRoute {
  read(request: Request, limits: UploadLimits): Promise<OllamaRequest>;
  /** Puts the caption where the route's clients look for it. */
  describe(caption: string): object;
}

/** `POST /api/generate` of Ollama. */
export function handleOllamaGenerate(c: Context<EdgeEnv>): Promise<Response> {
  return handleOllama(c, {
    read: async (request, limits) => {
      const { images, ...common } = await readBase64Json(request, { ...limits, schema: generateSchema });
      return { ...common, images: images ?? [] };
    },
    describe: (caption) => ({ response: caption }),
  });
}

/** `POST /api/chat` of Ollama. The photo is the one of the last message that has any. */
export function handleOllamaChat(c: Context<EdgeEnv>): Promise<Response> {
  return handleOllama(c, {
    read: async (request, limits) => {
      const { messages, ...common } = await readBase64Json(request, { ...limits, schema: chatSchema });
      return {
        ...common,
        images: messages.map(({ images }) => images ?? []).findLast(({ length }) => length > 0) ?? [],
      };
    },
    describe: (caption) => ({ message: { role: "assistant", content: caption } }),
  });
}

/** `GET /api/tags` of Ollama: the one model there is. */
export async function handleOllamaTags(c: Context<EdgeEnv>): Promise<Response> {
  const { id, revision, precision } = await askModelCard(c);
  const details = { format: "tfjs", family: "merge-lstm", families: ["merge-lstm"], quantization_level: precision };
  const models = [{ name: id, model: id, modified_at: new Date(0).toISOString(), size: 0, digest: revision, details }];
  return c.json({ models }, 200, { "Cache-Control": "no-cache, no-transform" });
}

function handleOllama(c: Context<EdgeEnv>, { read, describe }: OllamaRoute): Promise<Response> {
  const begunMs = Date.now();
  let asked: Omit<OllamaRequest, "images">; // no more than the answer needs: the request may have megabytes
  return handlePhoto(c, {
    options: defaultCaptionOptions,
    read: async (request, limits) => {
      const { images, ...form } = await read(request, limits);
      asked = form;
      const [photo] = images;
      if (photo === undefined || images.length > 1) {
        throw new CaptionError("invalid_request", `images: expected one photo, received ${images.length}`);
      }
      return checkPhoto(decodeBase64Photo(photo, "images"), limits);
    },
    respond: (caption, result) => {
      const { model, stream } = asked;
      const answer = { ...describeAnswer(result, { model, begunMs }), ...describe(result.caption) };
      return stream
        ? facadeResponse(c, { body: `${JSON.stringify(answer)}\n`, caption, mediaType: "application/x-ndjson" })
        : facadeResponse(c, { body: answer, caption });
    },
  });
}

/** Times are in nanoseconds; the caption's words are this model's tokens. */
function describeAnswer({ candidates, model }: CaptionResult, asked: { model: string; begunMs: number }): object {
  const durationNs = (Date.now() - asked.begunMs) * 1e6;
  return {
    model: asked.model === "" ? model.id : asked.model,
    created_at: new Date().toISOString(),
    done: true,
    done_reason: "stop",
    total_duration: durationNs,
    load_duration: 0,
    prompt_eval_count: 0,
    prompt_eval_duration: 0,
    eval_count: candidates[0]?.words.length ?? 0,
    eval_duration: durationNs,
  };
}
