import { type ErrorCode, errorCodes } from "../../shared/errors.ts";
import { type JsonSchema, schemaRef } from "./schemas.ts";

export interface ApiResponse {
  description: string;
  headers?: Record<string, JsonSchema>;
  content?: Record<string, { schema: JsonSchema; example?: unknown }>;
}

const retryAfter = { "Retry-After": { description: "Seconds to wait.", schema: { type: "integer", minimum: 0 } } };

/** The refusals of an operation, by status; two codes may share one. */
export function refusals(codes: readonly ErrorCode[]): Record<string, ApiResponse> {
  const statuses = [...new Set(codes.map((code) => errorCodes[code].status))];
  const ofStatus = (status: number) => codes.filter((code) => errorCodes[code].status === status);
  return Object.fromEntries(statuses.map((status) => [String(status), refusal(ofStatus(status))]));
}

function refusal(codes: readonly ErrorCode[]): ApiResponse {
  const asksToWait = codes.some((code) => errorCodes[code].retry === "later");
  return {
    description: codes.map((code) => `\`${code}\`: ${errorCodes[code].meaning}`).join("\n\n"),
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
