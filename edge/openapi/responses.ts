import { type ErrorCode, errorStatus } from "../../shared/errors.ts";
import { type JsonSchema, schemaRef } from "./schemas.ts";

/** What each refusal means, for those who meet it. */
const meanings: Record<ErrorCode, string> = {
  invalid_request: "A parameter or the body is not what the contract has there; `detail` says which.",
  unauthorized: "This deployment requires a valid API key.",
  forbidden: "The key does not cover this.",
  not_found: "Nothing is stored for this photo with these options, or there is no such address.",
  method_not_allowed: "`Allow` names the methods that are.",
  request_timeout: "The body did not come in time.",
  payload_too_large: "More than 20 MiB, or by the image's header more than 100 megapixels, 50 for AVIF.",
  unsupported_media_type: "No JPEG, PNG, WebP, GIF, AVIF or TIFF, by its bytes, or one in a form that is not decoded.",
  invalid_image: "The image cannot be decoded.",
  source_unreachable: "The photo could not be had from its address.",
  rate_limited: "Too many requests, or too many large photos at once. `Retry-After` says when to come back.",
  upstream_error: "The captioning service cannot be reached.",
  overloaded: "Too much is under way. `Retry-After` says when to come back.",
  upstream_timeout: "The captioning service took too long.",
  internal: "A mistake of ours; `requestId` finds it in our log.",
};

export interface ApiResponse {
  description: string;
  headers?: Record<string, JsonSchema>;
  content?: Record<string, { schema: JsonSchema; example?: unknown }>;
}

const retryAfter = { "Retry-After": { description: "Seconds to wait.", schema: { type: "integer", minimum: 0 } } };

/** The refusals of an operation, by status; two codes may share one. */
export function refusals(codes: readonly ErrorCode[]): Record<string, ApiResponse> {
  const statuses = [...new Set(codes.map((code) => errorStatus[code]))];
  const ofStatus = (status: number) => codes.filter((code) => errorStatus[code] === status);
  return Object.fromEntries(statuses.map((status) => [String(status), refusal(ofStatus(status))]));
}

function refusal(codes: readonly ErrorCode[]): ApiResponse {
  const asksToWait = codes.includes("rate_limited") || codes.includes("overloaded");
  return {
    description: codes.map((code) => `\`${code}\`: ${meanings[code]}`).join("\n\n"),
    ...(asksToWait ? { headers: retryAfter } : {}),
    content: { "application/problem+json": { schema: schemaRef("Problem") } },
  };
}

/** A success that carries JSON. */
export function success(
  description: string,
  { schema, example, headers = [] }: { schema: JsonSchema; example?: unknown; headers?: readonly HeaderName[] },
): ApiResponse {
  return {
    description,
    headers: headersOf(["X-Request-Id", ...headers]),
    content: { "application/json": { schema, ...(example === undefined ? {} : { example }) } },
  };
}

const headers = {
  "X-Request-Id": "The request's id: the client's own, where it sent one that is fit to be one.",
  "Content-Location": "The address at which the same result can be looked up without the photo.",
  ETag: "For `If-None-Match`.",
  "Cache-Status": "RFC 9211: `hit`, or `fwd=miss` with what became of it.",
  Age: "Seconds since the result was stored.",
  "RateLimit-Policy": "The limit that the request counts against: how many in how many seconds.",
  "Server-Timing": "Where the time went, in milliseconds.",
} as const;

export type HeaderName = keyof typeof headers;

/** Headers of an answer as OpenAPI describes them. */
export function headersOf(names: readonly HeaderName[]): Record<string, JsonSchema> {
  return Object.fromEntries(names.map((name) => [name, { description: headers[name], schema: { type: "string" } }]));
}
