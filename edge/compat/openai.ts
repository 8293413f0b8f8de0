import type { Context } from "hono";
import * as z from "zod";
import { defaultCaptionOptions } from "../../shared/caption-options.ts";
import type { CaptionResult } from "../../shared/contract.ts";
import { CaptionError } from "../../shared/errors.ts";
import type { EdgeEnv } from "../context.ts";
import { fetchSource } from "../fetch-source.ts";
import { askModelCard } from "../status-handler.ts";
import { type CheckedPhoto, checkPhoto, type UploadLimits } from "../upload.ts";
import { handlePhoto } from "../upload-handler.ts";
import { decodeBase64Photo, readBase64Json } from "./base64-photo.ts";
import { facadeResponse } from "./facade.ts";

const partSchema = z.object({ type: z.string(), image_url: z.object({ url: z.string() }).optional() });

/** Ignores prompts and sampling parameters: this model describes a photo in one way. */
const requestSchema = z.object({
  model: z.string().default(""),
  messages: z.array(z.object({ content: z.union([z.string(), z.array(partSchema)]).nullish() })).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().optional() }).nullish(),
});

type ChatRequest = z.infer<typeof requestSchema>;

/** What a request says about its answer. */
type AnswerForm = Omit<ChatRequest, "messages">;

/**
 * `POST /v1/chat/completions` of OpenAI's API. The photo is the one `image_url` part of the last message that has any: a
 * data URL, or an address that SOURCE_HOSTS allows.
 */
export function handleChatCompletion(c: Context<EdgeEnv>): Promise<Response> {
  let chat: AnswerForm; // no more than the answer needs: the request may have megabytes
  return handlePhoto(c, {
    options: defaultCaptionOptions,
    read: async (request, limits) => {
      const { messages, ...form } = await readBase64Json(request, { ...limits, schema: requestSchema });
      chat = form;
      return readPhoto(photoUrlOf(messages), limits);
    },
    respond: (caption, result) => {
      const parts = { id: `chatcmpl-${c.get("requestId")}`, chat, result };
      return chat.stream === true
        ? facadeResponse(c, { body: describeStream(parts), caption, mediaType: "text/event-stream" })
        : facadeResponse(c, { body: describeCompletion(parts), caption });
    },
  });
}

/** `GET /v1/models`: the one model there is. */
export async function handleModelList(c: Context<EdgeEnv>): Promise<Response> {
  const { id } = await askModelCard(c);
  const data = [{ id, object: "model", created: 0, owned_by: "edge-caption" }];
  return c.json({ object: "list", data }, 200, { "Cache-Control": "no-cache, no-transform" });
}

function photoUrlOf(messages: ChatRequest["messages"]): string {
  const urls = messages.map(({ content }) =>
    Array.isArray(content) ? content.flatMap(({ image_url }) => (image_url === undefined ? [] : [image_url.url])) : [],
  );
  const last = urls.findLast(({ length }) => length > 0) ?? [];
  const [url] = last;
  if (url !== undefined && last.length === 1) return url;
  throw new CaptionError("invalid_request", `messages: expected one image_url, received ${last.length}`);
}

async function readPhoto(url: string, limits: UploadLimits): Promise<CheckedPhoto> {
  if (/^data:/i.test(url)) return checkPhoto(decodeBase64Photo(url, "image_url"), limits);
  const { source, maxBytes, hold } = limits;
  const address = expectAddress(url);
  hold.restart();
  return checkPhoto(await fetchSource(address, { ...source, maxBytes, hold }), limits);
}

function expectAddress(url: string): string {
  if (URL.canParse(url)) return url;
  throw new CaptionError("invalid_request", "image_url: expected a data URL in base64, or an address");
}

interface CompletionParts {
  id: string;
  chat: AnswerForm;
  result: CaptionResult;
}

function describeCompletion(parts: CompletionParts): object {
  const { caption } = parts.result;
  const message = { role: "assistant", content: caption, refusal: null };
  return {
    ...describeAnswer(parts, "chat.completion"),
    choices: [{ index: 0, message, logprobs: null, finish_reason: "stop" }],
    usage: usageOf(parts.result),
  };
}

/** Server-sent events: the whole caption, the end, the usage where it is asked for, and OpenAI's closing line. */
function describeStream(parts: CompletionParts): string {
  const answer = describeAnswer(parts, "chat.completion.chunk");
  const choice = (delta: object, reason: "stop" | null) => [{ index: 0, delta, logprobs: null, finish_reason: reason }];
  const events = [
    { ...answer, choices: choice({ role: "assistant", content: parts.result.caption }, null) },
    { ...answer, choices: choice({}, "stop") },
    ...(parts.chat.stream_options?.include_usage === true
      ? [{ ...answer, choices: [], usage: usageOf(parts.result) }]
      : []),
  ];
  return `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("")}data: [DONE]\n\n`;
}

function describeAnswer({ id, chat, result: { model } }: CompletionParts, object: string) {
  return {
    id,
    object,
    created: Math.floor(Date.now() / 1000),
    model: chat.model === "" ? model.id : chat.model,
    system_fingerprint: `${model.id}@${model.revision}, prompt ignored`,
  };
}

/** Counts the caption's words, which are this model's tokens; a photo has none. */
function usageOf({ candidates }: CaptionResult) {
  const tokens = candidates[0]?.words.length ?? 0;
  return { prompt_tokens: 0, completion_tokens: tokens, total_tokens: tokens };
}
