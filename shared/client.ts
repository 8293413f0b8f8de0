import { type CaptionOptions, captionQuery, defaultCaptionOptions } from "./caption-options.ts";
import { isCacheHit, type Reply, readSuccess } from "./client-reply.ts";
import { type ClientRequest, type RequestWatch, type RetryRules, sendRequest } from "./client-request.ts";
import {
  type CaptionResult,
  captionResultSchema,
  lookupReplySchema,
  type ModelCard,
  maxLookupIds,
  modelCardSchema,
  type PhotoId,
} from "./contract.ts";
import { CaptionError, quote } from "./errors.ts";
import {
  type Job,
  type JobOrder,
  type JobResult,
  jobListSchema,
  jobResultSchema,
  jobSchema,
  maxResultRows,
  type ResultForm,
  resultTypes,
} from "./jobs.ts";
import { parseOrigin } from "./origin.ts";
import { photoIdsOf } from "./photo-id.ts";

const defaultRetryRules: RetryRules = { maxTries: 5, maxWaitSeconds: 60, timeoutMs: 90_000 };

interface CaptionClientParts extends Partial<RetryRules> {
  /** Origin of the edge, such as `https://captions.example.com`. */
  origin: string;
  /** Sent as `Authorization: Bearer …`, for a deployment that requires a key. */
  apiKey?: string | undefined;
}

/** Options of search and form, which default to the contract's, and watchers of the request. */
export type CaptionCall = Partial<CaptionOptions> & RequestWatch;

/** A photo to upload. A stream is sent only once, so it is not retried when the edge is busy. */
export type PhotoSource = Blob | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

/** A caption and how the edge came by it. */
export interface CaptionAnswer {
  /** The caption, as the contract has it. */
  result: CaptionResult;
  /** Whether a cache held it, so that no model ran. */
  isHit: boolean;
  /** Headers of the reply: `ETag`, `Age`, `Server-Timing`, `X-Request-Id`, … */
  headers: Headers;
}

/**
 * A typed client of the edge's HTTP contract, for browsers, Node, Deno, Bun and Workers. Every method throws a `CaptionError`
 * with the contract's code, or the signal's reason.
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

  /** Uploads a photo to be captioned. */
  async caption(photo: PhotoSource, call: CaptionCall = {}): Promise<CaptionAnswer> {
    return readAnswer(await this.#send(`/v1/captions?${queryOf(call)}`, postedPhoto(photo), call));
  }

  /** Has the edge fetch a photo by its address and caption it. */
  async captionAt(address: string, call: CaptionCall = {}): Promise<CaptionAnswer> {
    return readAnswer(await this.#send(`/v1/captions?${queryOf(call)}`, postedJson({ url: address }), call));
  }

  /** Looks a photo up and uploads it only if no caption is stored for it. */
  async captionUnlessKnown(photo: Blob, call: CaptionCall = {}): Promise<CaptionAnswer> {
    const { id, contentId } = await photoIdsOf(new Uint8Array(await photo.arrayBuffer()));
    return (await this.lookUp(contentId ?? id, call)) ?? (await this.caption(photo, call));
  }

  /** Returns what is stored for a photo's id, or null. Never runs a model. */
  async lookUp(id: PhotoId, call: CaptionCall = {}): Promise<CaptionAnswer | null> {
    try {
      return readAnswer(await this.#send(`${pathOf(id)}?${queryOf(call)}`, {}, call));
    } catch (error) {
      if (error instanceof CaptionError && error.code === "not_found") return null;
      throw error;
    }
  }

  /** Looks up any number of ids. An id that is missing in the map has nothing stored. */
  async lookUpMany(ids: Iterable<PhotoId>, call: CaptionCall = {}): Promise<Map<PhotoId, CaptionResult>> {
    const found = new Map<PhotoId, CaptionResult>();
    for await (const batch of batchesOf(new Set(ids), maxLookupIds)) {
      const reply = await this.#send(`/v1/captions/lookup?${queryOf(call)}`, postedJson({ ids: batch }), call);
      const { found: results } = readSuccess(reply, lookupReplySchema);
      for (const id of batch) {
        const result = results[id];
        if (result !== undefined) found.set(id, result);
      }
    }
    return found;
  }

  /** Returns the card of the model in service. */
  async modelCard(watch: RequestWatch = {}): Promise<ModelCard> {
    return readSuccess(await this.#send("/v1/model", {}, watch), modelCardSchema);
  }

  /** Starts a job that captions a bucket or a list of addresses in the background. */
  async startJob(order: JobOrder, watch: RequestWatch = {}): Promise<Job> {
    return readSuccess(await this.#send("/v1/jobs", postedJson(order), watch), jobSchema);
  }

  /** Yields the key's jobs, the newest first. */
  async *jobs(watch: RequestWatch = {}): AsyncGenerator<Job> {
    for (let cursor: string | undefined = ""; cursor !== undefined; ) {
      const query: string = cursor === "" ? "" : `?cursor=${encodeURIComponent(cursor)}`;
      const list = readSuccess(await this.#send(`/v1/jobs${query}`, {}, watch), jobListSchema);
      yield* list.jobs;
      cursor = list.cursor;
    }
  }

  /** Returns how far a job is. */
  async job(id: string, watch: RequestWatch = {}): Promise<Job> {
    return readSuccess(await this.#send(jobPath(id), {}, watch), jobSchema);
  }

  /** Yields a job's photos in the order of their keys, those that wait too. */
  async *jobResults(id: string, watch: RequestWatch = {}): AsyncGenerator<JobResult> {
    for await (const page of this.jobResultPages(id, { form: "jsonl", ...watch })) {
      for (const line of page.split("\n")) if (line !== "") yield jobResultSchema.parse(JSON.parse(line));
    }
  }

  /** Yields a job's results as text, which is CSV or JSON lines when its pages are put together. */
  async *jobResultPages(id: string, { form, ...watch }: RequestWatch & { form: ResultForm }): AsyncGenerator<string> {
    const headers = { Accept: resultTypes[form] };
    for (let target: string | undefined = `${jobPath(id)}/results?limit=${maxResultRows}`; target !== undefined; ) {
      const reply: Reply = await this.#send(target, { headers }, watch);
      yield reply.text;
      target = /^<([^>]+)>; rel="next"$/.exec(reply.headers.get("Link") ?? "")?.[1];
    }
  }

  /** Cancels a job; photos that are being captioned are finished. */
  async cancelJob(id: string, watch: RequestWatch = {}): Promise<Job> {
    return readSuccess(await this.#send(`${jobPath(id)}/cancel`, { method: "POST" }, watch), jobSchema);
  }

  /** Deletes a job and its results. */
  async deleteJob(id: string, watch: RequestWatch = {}): Promise<void> {
    await this.#send(jobPath(id), { method: "DELETE" }, watch);
  }

  #send(target: string, { headers, ...init }: Sent, watch: RequestWatch): Promise<Reply> {
    const request = {
      url: new URL(target, this.#origin),
      init: { ...init, headers: { ...headers, ...this.#headers } },
    };
    return sendRequest(request, this.#rules, watch);
  }
}

/** Splits items into batches of at most `size`, and takes the next item only when it is needed. */
export async function* batchesOf<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  size: number,
): AsyncGenerator<Item[]> {
  let batch: Item[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
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

function queryOf({ beam, candidates, maxWords, style, neutral, keywords }: CaptionCall): string {
  return captionQuery({
    beam: beam ?? Math.max(defaultCaptionOptions.beam, candidates ?? 1),
    candidates: candidates ?? defaultCaptionOptions.candidates,
    maxWords,
    style,
    neutral,
    keywords,
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

function jobPath(id: string): string {
  return `/v1/jobs/${encodeURIComponent(id)}`;
}

/** Writes a look-up's path as the edge does, with a plain colon, so that HTTP caches see one URL. */
function pathOf(id: PhotoId): string {
  return `/v1/captions/${encodeURIComponent(id).replaceAll("%3A", ":")}`;
}
