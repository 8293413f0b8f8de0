import type * as z from "zod";
import { captionQuery, type SearchOptions } from "../shared/caption-options.ts";
import type { Reply } from "../shared/client-reply.ts";
import {
  type CaptionResult,
  captionResultSchema,
  type ModelCard,
  modelCardSchema,
  type ServiceReadiness,
  serviceReadinessSchema,
} from "../shared/contract.ts";
import { CaptionError } from "../shared/errors.ts";
import type { Priority } from "../shared/priority.ts";
import { hashCaller, signatureHeaders } from "../shared/signature.ts";
import { readBytes } from "./read-body.ts";
import { type ServiceCall, tryServices } from "./service-failover.ts";
import type { ServiceOrigins } from "./service-origins.ts";
import { isGatewayStatus, outsideContract, readReply, unreachable } from "./service-reply.ts";
import type { CheckedPhoto } from "./upload.ts";

/** Far above the longest result: five candidates of forty words are about 15 kB. */
const maxReplyBytes = 256 * 1024;
/** Time limit of requests that need no model. */
const probeTimeoutMs = 5_000;
/** Share of an attempt's time for the answer's way back. The service gets the rest, so that it reports a timeout itself. */
const returnShare = 0.05;
const maxReturnMs = 500;

interface ServiceClientParts {
  origins: ServiceOrigins;
  secret: string;
  /** Time for all attempts at one caption. */
  timeoutMs: number;
  /** Headers of every request: `X-Request-Id`, and `traceparent` if the client sent one. */
  traceHeaders: Record<string, string>;
}

interface CaptionOrder {
  photo: CheckedPhoto;
  options: SearchOptions;
  /** Time by which the client must have an answer. */
  deadlineAtMs: number;
  /** Caller for whom the service counts photos that take long. */
  caller: string;
  /** `bulk` lets people's uploads pass, and takes a share of a service's places. Without it, the photo is a person's. */
  priority?: Priority;
}

type PhotoAttempt = Pick<CaptionOrder, "photo" | "caller" | "priority"> & { target: string; timeoutMs: number };

interface ServiceRequest {
  origin: string;
  target: string;
  timeoutMs: number;
  init?: { method: string; headers: Record<string, string>; body: Uint8Array<ArrayBuffer> };
}

/**
 * A client for all captioning services as one. Every method throws `upstream_error` or `upstream_timeout` when none answers,
 * and `overloaded` when one of them says so.
 */
export class ServiceClient {
  readonly #parts: ServiceClientParts;

  constructor(parts: ServiceClientParts) {
    this.#parts = parts;
  }

  /** Captions a photo. Also throws what a service says about the photo. */
  async caption({ photo, options, deadlineAtMs, ...sender }: CaptionOrder): Promise<CaptionResult> {
    const target = `/v1/captions?${captionQuery(options)}`;
    const attempt: ServiceCall<CaptionResult>["attempt"] = async (origin, timeoutMs) => {
      const init = await this.#signedPhoto({ photo, target, timeoutMs, ...sender });
      const answer = readReply(await this.#send({ origin, target, timeoutMs, init }), captionResultSchema);
      if ("value" in answer) {
        expectAnswerFor({ id: photo.id, options }, answer.value);
        expectConsistent(answer.value);
      }
      return answer;
    };
    return this.#tryServices({
      deadlineAtMs,
      attempt,
      isReady: (origin, timeoutMs) => this.#isReady(origin, timeoutMs),
    });
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
    const attempt: ServiceCall<T>["attempt"] = async (origin, timeoutMs) =>
      readReply(await this.#send({ origin, target, timeoutMs }), schema);
    return this.#tryServices({ deadlineAtMs, attempt });
  }

  #tryServices<T>(call: Pick<ServiceCall<T>, "deadlineAtMs" | "attempt" | "isReady">): Promise<T> {
    const { origins, timeoutMs } = this.#parts;
    return tryServices({ origins, fairMs: timeoutMs / (2 * origins.count), ...call });
  }

  /** Whether a photo may be sent; a service that is starting or draining answers 503. */
  async #isReady(origin: string, timeoutMs: number): Promise<boolean> {
    try {
      const { status } = await this.#send({ origin, target: "/readyz", timeoutMs });
      return !isGatewayStatus(status);
    } catch {
      return false;
    }
  }

  /** Signs the photo for one attempt, with the time that this attempt has. */
  async #signedPhoto({ photo, target, timeoutMs, caller, priority }: PhotoAttempt) {
    const { secret } = this.#parts;
    const signed = { method: "POST", target, bodyHash: photo.hash, caller: await hashCaller(caller, secret), priority };
    const headers = {
      ...(await signatureHeaders(signed, { secret, nowMs: Date.now() })),
      "Content-Type": `image/${photo.format}`,
      "X-Deadline-Ms": String(Math.ceil(timeoutMs - Math.min(maxReturnMs, timeoutMs * returnShare))),
    };
    return { method: "POST", headers, body: photo.bytes };
  }

  async #send({ origin, target, timeoutMs, init }: ServiceRequest): Promise<Reply> {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(`${origin}${target}`, {
        ...init,
        headers: { ...init?.headers, ...this.#parts.traceHeaders },
        cache: "no-store", // a Worker's fetch may read through Cloudflare's cache, and a revision must be current
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

/** Checks that the caption is the best candidate's, and that no more candidates came than were asked for. */
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
