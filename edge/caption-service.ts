import type * as z from "zod";
import type { Reply } from "../shared/client-reply.ts";
import {
  type CaptionOptions,
  type CaptionResult,
  captionQuery,
  captionResultSchema,
  type ModelCard,
  modelCardSchema,
  type ServiceReadiness,
  serviceReadinessSchema,
} from "../shared/contract.ts";
import { CaptionError } from "../shared/errors.ts";
import { hashCaller, signatureHeaders } from "../shared/signature.ts";
import { askServices, type Question } from "./ask-services.ts";
import { readBytes } from "./read-bytes.ts";
import type { ServiceOrigins } from "./service-origins.ts";
import { isGatewayStatus, outsideContract, readReply, unreachable } from "./service-reply.ts";
import type { Photo } from "./upload.ts";

/** Far above the longest result: five candidates of forty words are about 15 kB. */
const maxReplyBytes = 256 * 1024;
/** For questions that need no model. */
const probeTimeoutMs = 5_000;
/** Of an attempt's time, what its answer may take on its way: a service that is told less says of itself that time is up. */
const returnShare = 0.05;
const maxReturnMs = 500;

interface CaptionServiceParts {
  origins: ServiceOrigins;
  secret: string;
  /** For all attempts at one caption. */
  timeoutMs: number;
  /** Sent with every request: `X-Request-Id`, and `traceparent` where the client sent one. */
  traceHeaders: Record<string, string>;
}

interface CaptionOrder {
  photo: Photo;
  options: CaptionOptions;
  /** By when its caller must have an answer. */
  deadlineAtMs: number;
  /** Whom the service counts photos against that take long. */
  caller: string;
}

type PhotoAttempt = Pick<CaptionOrder, "photo" | "caller"> & { target: string; timeoutMs: number };

interface ServiceRequest {
  origin: string;
  target: string;
  timeoutMs: number;
  init?: { method: string; headers: Record<string, string>; body: Uint8Array<ArrayBuffer> };
}

/**
 * The captioning services, as one. Every method throws `upstream_error` or `upstream_timeout` when none can be had, and
 * `overloaded` when one of them says so.
 */
export class CaptionService {
  readonly #parts: CaptionServiceParts;

  constructor(parts: CaptionServiceParts) {
    this.#parts = parts;
  }

  /** Captions a photo. Also throws what a service says about the photo. */
  async caption({ photo, options, deadlineAtMs, caller }: CaptionOrder): Promise<CaptionResult> {
    const target = `/v1/captions?${captionQuery(options)}`;
    const ask: Question<CaptionResult>["ask"] = async (origin, timeoutMs) => {
      const init = await this.#signedPhoto({ photo, target, timeoutMs, caller });
      const verdict = readReply(await this.#ask({ origin, target, timeoutMs, init }), captionResultSchema);
      if ("value" in verdict) {
        expectAnswerFor({ id: photo.id, options }, verdict.value);
        expectConsistent(verdict.value);
      }
      return verdict;
    };
    return this.#askAny({ deadlineAtMs, ask, isReady: (origin, timeoutMs) => this.#isReady(origin, timeoutMs) });
  }

  async modelCard(): Promise<ModelCard> {
    return this.#probe("/v1/model", modelCardSchema);
  }

  /** Also throws `overloaded` while the services are starting or draining. */
  async readiness(): Promise<ServiceReadiness> {
    return this.#probe("/readyz", serviceReadinessSchema);
  }

  #probe<T>(target: string, schema: z.ZodType<T>): Promise<T> {
    const deadlineAtMs = Date.now() + Math.min(probeTimeoutMs, this.#parts.timeoutMs);
    const ask: Question<T>["ask"] = async (origin, timeoutMs) =>
      readReply(await this.#ask({ origin, target, timeoutMs }), schema);
    return this.#askAny({ deadlineAtMs, ask });
  }

  #askAny<T>(question: Pick<Question<T>, "deadlineAtMs" | "ask" | "isReady">): Promise<T> {
    const { origins, timeoutMs } = this.#parts;
    return askServices({ origins, fairMs: timeoutMs / (2 * origins.count), ...question });
  }

  /** Whether a photo may be sent; a service that is starting or draining says 503. */
  async #isReady(origin: string, timeoutMs: number): Promise<boolean> {
    try {
      const { status } = await this.#ask({ origin, target: "/readyz", timeoutMs });
      return !isGatewayStatus(status);
    } catch {
      return false;
    }
  }

  /** Signed for each attempt, and with the time that this attempt has. */
  async #signedPhoto({ photo, target, timeoutMs, caller }: PhotoAttempt) {
    const { secret } = this.#parts;
    const signed = { method: "POST", target, bodyHash: photo.hash, caller: await hashCaller(caller, secret) };
    const headers = {
      ...(await signatureHeaders(signed, { secret, nowMs: Date.now() })),
      "Content-Type": `image/${photo.format}`,
      "X-Deadline-Ms": String(Math.ceil(timeoutMs - Math.min(maxReturnMs, timeoutMs * returnShare))),
    };
    return { method: "POST", headers, body: photo.bytes };
  }

  async #ask({ origin, target, timeoutMs, init }: ServiceRequest): Promise<Reply> {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(`${origin}${target}`, {
        ...init,
        headers: { ...init?.headers, ...this.#parts.traceHeaders },
        cache: "no-store", // a Worker's fetch may read through Cloudflare's cache, and a revision must be the present one
        redirect: "manual",
        signal,
      });
      const bytes = await readBytes(response.body, {
        maxBytes: maxReplyBytes,
        tooLarge: () => new Error(`the reply is larger than ${maxReplyBytes} bytes`),
      });
      return { status: response.status, headers: response.headers, text: new TextDecoder().decode(bytes) };
    } catch (cause) {
      throw signal.aborted
        ? new CaptionError("upstream_timeout", `the captioning service took more than ${timeoutMs} ms`, { cause })
        : unreachable(cause);
    }
  }
}

function expectAnswerFor({ id, options }: Pick<CaptionResult, "id" | "options">, result: CaptionResult): void {
  if (result.id === id && captionQuery(result.options) === captionQuery(options)) return;
  throw outsideContract(new Error(`the reply is for ${result.id}?${captionQuery(result.options)}`));
}

/** A caption is its best candidate's, and no more candidates come than were asked for. */
function expectConsistent({ caption, confidence, candidates, options }: CaptionResult): void {
  const best = candidates[0];
  if (candidates.length > options.candidates) {
    throw outsideContract(
      new Error(`expected at most ${options.candidates} candidates, received ${candidates.length}`),
    );
  }
  if (caption !== best?.caption || confidence !== best.confidence) {
    throw outsideContract(new Error("the caption is not that of the first candidate"));
  }
}
