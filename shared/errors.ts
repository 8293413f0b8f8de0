/** Every error code of the HTTP contract with its status. The list is closed: edge and service answer nothing else. */
export const errorStatus = {
  invalid_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  payload_too_large: 413,
  unsupported_media_type: 415,
  invalid_image: 422,
  source_unreachable: 422,
  rate_limited: 429,
  upstream_error: 502,
  overloaded: 503,
  upstream_timeout: 504,
  internal: 500,
} as const satisfies Record<string, number>;

export type ErrorCode = keyof typeof errorStatus;
export type ErrorStatus = (typeof errorStatus)[ErrorCode];

interface CaptionErrorOptions {
  cause?: unknown;
  /** Sent as `Retry-After`; whole seconds. */
  retryAfterSeconds?: number;
  /** Sent as `Allow` with `method_not_allowed`. */
  allow?: readonly string[];
  /** Sent as `Accept-Encoding` with `unsupported_media_type`: the content codings that are taken. */
  acceptEncoding?: string;
  /** Of the reply that told this error, for a client to report; no server sets it. */
  requestId?: string;
}

/** The one error class: leaves throw it, one handler per server turns it into a problem document. The message is for the caller to read. */
export class CaptionError extends Error {
  override readonly name = "CaptionError";
  readonly code: ErrorCode;
  readonly retryAfterSeconds: number | undefined;
  readonly allow: readonly string[] | undefined;
  readonly acceptEncoding: string | undefined;
  readonly requestId: string | undefined;

  constructor(code: ErrorCode, message: string, options: CaptionErrorOptions = {}) {
    const { cause, retryAfterSeconds, allow, acceptEncoding, requestId } = options;
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
    this.allow = allow;
    this.acceptEncoding = acceptEncoding;
    this.requestId = requestId;
  }

  get status(): ErrorStatus {
    return errorStatus[this.code];
  }
}
