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
import { signatureHeaders } from "../shared/signature.ts";
import { readBytes } from "./read-bytes.ts";
import { outsideContract, parseReply, type ServiceReply } from "./service-reply.ts";
import type { Photo } from "./upload.ts";

/** Far above the longest result: five candidates of forty words are about 15 kB. */
const maxReplyBytes = 256 * 1024;
/** For questions that need no model. */
const probeTimeoutMs = 5_000;

interface CaptionServiceParts {
  origin: string;
  secret: string;
  timeoutMs: number;
  /** Sent with every request: `X-Request-Id`, and `traceparent` where the client sent one. */
  traceHeaders: Record<string, string>;
}

interface ServiceRequest {
  target: string;
  timeoutMs: number;
  init?: { method: string; headers: Record<string, string>; body: Uint8Array<ArrayBuffer> };
}

/** The captioning service. Every method throws `upstream_error` or `upstream_timeout` when it cannot be had. */
export class CaptionService {
  readonly #parts: CaptionServiceParts;

  constructor(parts: CaptionServiceParts) {
    this.#parts = parts;
  }

  /** Captions a photo. Also throws what the service says about the photo or about its load. */
  async caption(photo: Photo, options: CaptionOptions): Promise<CaptionResult> {
    const { secret, timeoutMs } = this.#parts;
    const target = `/v1/captions?${captionQuery(options)}`;
    const signed = { method: "POST", target, bodyHash: photo.hash };
    const headers = {
      ...(await signatureHeaders(signed, { secret, nowMs: Date.now() })),
      "Content-Type": `image/${photo.format}`,
      "X-Deadline-Ms": String(timeoutMs),
    };
    const init = { method: "POST", headers, body: photo.bytes };
    const result = parseReply(await this.#ask({ target, timeoutMs, init }), captionResultSchema);
    if (result.id !== photo.id || captionQuery(result.options) !== captionQuery(options)) {
      throw outsideContract(new Error(`the reply is for ${result.id}?${captionQuery(result.options)}`));
    }
    return result;
  }

  async modelCard(): Promise<ModelCard> {
    return parseReply(await this.#probe("/v1/model"), modelCardSchema);
  }

  /** Also throws `overloaded` while the service is starting or draining. */
  async readiness(): Promise<ServiceReadiness> {
    return parseReply(await this.#probe("/readyz"), serviceReadinessSchema);
  }

  #probe(target: string): Promise<ServiceReply> {
    return this.#ask({ target, timeoutMs: Math.min(probeTimeoutMs, this.#parts.timeoutMs) });
  }

  async #ask({ target, timeoutMs, init }: ServiceRequest): Promise<ServiceReply> {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(`${this.#parts.origin}${target}`, {
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
        : new CaptionError("upstream_error", "the captioning service could not be reached", { cause });
    }
  }
}
