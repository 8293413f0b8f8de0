import { isCacheHit, type Reply, readSuccess } from "./client-reply.ts";
import { type ClientRequest, type RequestWatch, type RetryRules, sendRequest } from "./client-request.ts";
import {
  type CaptionOptions,
  type CaptionResult,
  captionQuery,
  captionResultSchema,
  defaultCaptionOptions,
  lookupReplySchema,
  type ModelCard,
  maxLookupIds,
  modelCardSchema,
  type PhotoId,
  quote,
} from "./contract.ts";
import { CaptionError } from "./errors.ts";
import { parseOrigin } from "./origin.ts";
import { photoIdsOf } from "./photo-id.ts";

const defaultRetryRules: RetryRules = { maxTries: 5, maxWaitSeconds: 60, timeoutMs: 90_000 };

interface CaptionClientParts extends Partial<RetryRules> {
  /** Where the edge answers, such as `https://captions.example.com`. */
  origin: string;
  /** Sent as `Authorization: Bearer …`, for a deployment that asks for a key. */
  apiKey?: string | undefined;
}

/** Search options, each with the contract's default, and how the request is watched. */
export type CaptionCall = Partial<CaptionOptions> & RequestWatch;

/** A stream is sent as it comes and never twice: it is not tried again when the edge is busy. */
export type PhotoSource = Blob | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

export interface CaptionAnswer {
  result: CaptionResult;
  /** Whether a cache held it, so that no model ran. */
  isHit: boolean;
  /** Of the reply: `ETag`, `Age`, `Server-Timing`, `X-Request-Id`, … */
  headers: Headers;
}

/**
 * The edge's HTTP contract, typed: for browsers, Node, Deno, Bun and Workers. Every method throws a `CaptionError` with
 * the contract's code, or the signal's reason.
 */
export class CaptionClient {
  readonly #origin: URL;
  readonly #headers: Record<string, string>;
  readonly #rules: RetryRules;

  constructor({ origin, apiKey, ...rules }: CaptionClientParts) {
    this.#origin = readOrigin(origin);
    this.#headers = apiKey === undefined ? {} : { Authorization: `Bearer ${apiKey}` };
    this.#rules = { ...defaultRetryRules, ...rules };
  }

  /** Uploads a photo and has it captioned. */
  async caption(photo: PhotoSource, call: CaptionCall = {}): Promise<CaptionAnswer> {
    return readAnswer(await this.#send(`/v1/captions?${queryOf(call)}`, postedPhoto(photo), call));
  }

  /** Has the edge fetch a photo by its address and caption it. */
  async captionAt(address: string, call: CaptionCall = {}): Promise<CaptionAnswer> {
    return readAnswer(await this.#send(`/v1/captions?${queryOf(call)}`, postedJson({ url: address }), call));
  }

  /** Looks a photo up and uploads it only where no caption is stored for it. */
  async captionUnlessKnown(photo: Blob, call: CaptionCall = {}): Promise<CaptionAnswer> {
    const { id, contentId } = await photoIdsOf(new Uint8Array(await photo.arrayBuffer()));
    return (await this.lookUp(contentId ?? id, call)) ?? (await this.caption(photo, call));
  }

  /** What is stored for a photo's id, or null. Never runs a model. */
  async lookUp(id: PhotoId, call: CaptionCall = {}): Promise<CaptionAnswer | null> {
    try {
      return readAnswer(await this.#send(`${pathOf(id)}?${queryOf(call)}`, {}, call));
    } catch (error) {
      if (error instanceof CaptionError && error.code === "not_found") return null;
      throw error;
    }
  }

  /** What is stored for many ids, any number of them; those that are not in the map have nothing stored. */
  async lookUpMany(ids: Iterable<PhotoId>, call: CaptionCall = {}): Promise<Map<PhotoId, CaptionResult>> {
    const found = new Map<PhotoId, CaptionResult>();
    const all = [...new Set(ids)];
    for (let start = 0; start < all.length; start += maxLookupIds) {
      const group = all.slice(start, start + maxLookupIds);
      const reply = await this.#send(`/v1/captions/lookup?${queryOf(call)}`, postedJson({ ids: group }), call);
      const { found: results } = readSuccess(reply, lookupReplySchema);
      for (const id of group) {
        const result = results[id];
        if (result !== undefined) found.set(id, result);
      }
    }
    return found;
  }

  /** The card of the model that captions at present. */
  async modelCard(watch: RequestWatch = {}): Promise<ModelCard> {
    return readSuccess(await this.#send("/v1/model", {}, watch), modelCardSchema);
  }

  #send(target: string, { headers, ...init }: Sent, watch: RequestWatch): Promise<Reply> {
    const request = {
      url: new URL(target, this.#origin),
      init: { ...init, headers: { ...headers, ...this.#headers } },
    };
    return sendRequest(request, this.#rules, watch);
  }
}

type Sent = ClientRequest["init"] & { headers?: Record<string, string> };

function postedPhoto(photo: PhotoSource): Sent {
  const type = photo instanceof Blob && photo.type.startsWith("image/") ? photo.type : "application/octet-stream";
  const post = { method: "POST", body: photo, headers: { "Content-Type": type } };
  return photo instanceof ReadableStream ? { ...post, duplex: "half" } : post;
}

function postedJson(body: unknown): Sent {
  return { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
}

function queryOf({ beam, candidates }: CaptionCall): string {
  return captionQuery({
    beam: beam ?? Math.max(defaultCaptionOptions.beam, candidates ?? 1),
    candidates: candidates ?? defaultCaptionOptions.candidates,
  });
}

function readAnswer(reply: Reply): CaptionAnswer {
  const result = readSuccess(reply, captionResultSchema);
  return { result, isHit: isCacheHit(reply.headers), headers: reply.headers };
}

function readOrigin(text: string): URL {
  const url = parseOrigin(text);
  if (url !== undefined) return url;
  throw new CaptionError(
    "invalid_request",
    `expected an origin such as https://captions.example.com, received ${quote(text)}`,
  );
}

/** The address as the edge writes it itself, with its colon, so that an HTTP cache sees one. */
function pathOf(id: PhotoId): string {
  return `/v1/captions/${encodeURIComponent(id).replaceAll("%3A", ":")}`;
}
