/** What edge, service and clients need to know about an error code. */
interface ErrorFacts {
  status: number;
  /** The problem document's `title`. */
  title: string;
  /** The description in the API's documentation. */
  meaning: string;
  /** Whether sending the same request again may help: `later` means after the seconds of the reply's `Retry-After`. */
  retry: "never" | "maybe" | "later";
  /** The next photo would be refused as well: the cause is the caller, the deployment or the service. */
  isForEveryPhoto?: true;
  /** Another instance of the service may answer instead. */
  isWorthAnotherService?: true;
  /** The edge passes this code on from the service to the client; any other code of the service becomes `upstream_error`. */
  isPassedOn?: true;
  /** A reply with this status but without a problem document, such as a proxy's, means this code. */
  isMeantByBareStatus?: true;
}

const table = {
  invalid_request: {
    status: 400,
    title: "Invalid request",
    meaning: "A parameter or the body does not match the contract; `detail` says which.",
    retry: "never",
  },
  unauthorized: {
    status: 401,
    title: "Unauthorized",
    meaning: "This deployment requires a valid API key.",
    retry: "maybe",
    isForEveryPhoto: true,
  },
  forbidden: {
    status: 403,
    title: "Forbidden",
    meaning: "The key does not cover this.",
    retry: "maybe",
    isForEveryPhoto: true,
  },
  not_found: {
    status: 404,
    title: "Not found",
    meaning: "Nothing is stored for this photo with these options, or there is no such route.",
    retry: "maybe",
    isForEveryPhoto: true,
  },
  method_not_allowed: {
    status: 405,
    title: "Method not allowed",
    meaning: "`Allow` lists the methods that are allowed.",
    retry: "never",
  },
  request_timeout: {
    status: 408,
    title: "Request timeout",
    meaning: "The body did not arrive in time.",
    retry: "maybe",
  },
  payload_too_large: {
    status: 413,
    title: "Payload too large",
    meaning:
      "More bytes or pixels than this deployment accepts: 20 MiB and 100 megapixels, 50 for AVIF, unless set otherwise.",
    retry: "never",
    isPassedOn: true,
    isMeantByBareStatus: true,
  },
  unsupported_media_type: {
    status: 415,
    title: "Unsupported media type",
    meaning: "The bytes are not a JPEG, PNG, WebP, GIF, AVIF or TIFF, or one in a form that is not decoded.",
    retry: "never",
    isPassedOn: true,
  },
  invalid_image: {
    status: 422,
    title: "Invalid image",
    meaning: "The image cannot be decoded.",
    retry: "never",
    isPassedOn: true,
  },
  source_unreachable: {
    status: 422,
    title: "Source unreachable",
    meaning: "The photo could not be fetched from its URL.",
    retry: "maybe",
  },
  rate_limited: {
    status: 429,
    title: "Too many requests",
    meaning: "Too many requests, or too many large photos at once. `Retry-After` says when to come back.",
    retry: "later",
    isForEveryPhoto: true,
    isPassedOn: true,
    isMeantByBareStatus: true,
  },
  upstream_error: {
    status: 502,
    title: "Bad gateway",
    meaning: "The captioning service cannot be reached.",
    retry: "maybe",
    isForEveryPhoto: true,
    isWorthAnotherService: true,
  },
  overloaded: {
    status: 503,
    title: "Service overloaded",
    meaning: "The service is at capacity. `Retry-After` says when to come back.",
    retry: "later",
    isForEveryPhoto: true,
    isWorthAnotherService: true,
    isPassedOn: true,
    isMeantByBareStatus: true,
  },
  upstream_timeout: {
    status: 504,
    title: "Gateway timeout",
    meaning: "The captioning service took too long.",
    retry: "maybe",
    isWorthAnotherService: true,
    isPassedOn: true,
    isMeantByBareStatus: true,
  },
  internal: {
    status: 500,
    title: "Internal error",
    meaning: "An error on our side; `requestId` finds it in the log.",
    retry: "maybe",
  },
} as const satisfies Record<string, ErrorFacts>;

/** The code of a refusal, by which programs decide what to do. */
export type ErrorCode = keyof typeof table;

/** Every error code of the HTTP contract. The list is closed: edge and service send no others. */
export const errorFacts: Readonly<Record<ErrorCode, Readonly<ErrorFacts>>> = table;

/** The codes alone, for a schema. */
export const errorCodes = Object.keys(table) as [ErrorCode, ...ErrorCode[]]; // the keys of a const table

interface CaptionErrorOptions {
  cause?: unknown;
  /** Sent as `Retry-After`; whole seconds. */
  retryAfterSeconds?: number;
  /** Sent as `Allow` with `method_not_allowed`. */
  allow?: readonly string[];
  /** Sent as `Accept-Encoding` with `unsupported_media_type`: the content codings that are accepted. */
  acceptEncoding?: string;
  /** Id of the refused request, for a client to report; servers do not set it. */
  requestId?: string;
}

/** The one error class: leaves throw it, and one handler per server turns it into a problem document. Its message is for the caller. */
export class CaptionError extends Error {
  override readonly name = "CaptionError";
  /** Why it was refused. */
  readonly code: ErrorCode;
  /** Seconds after which the request may be sent again, from `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;
  /** With `method_not_allowed`, the methods that the route accepts. */
  readonly allow: readonly string[] | undefined;
  /** With `unsupported_media_type`, the content codings that are accepted. */
  readonly acceptEncoding: string | undefined;
  /** Id of the refused request, which finds it in the server's log. */
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

  /** The HTTP status that belongs to the code. */
  get status(): number {
    return errorFacts[this.code].status;
  }
}

/** Shortens and escapes a caller's text for an error message. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
