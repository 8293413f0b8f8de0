import type { CaptionResult } from "../../shared/contract.ts";
import { type ErrorCode, errorFacts } from "../../shared/errors.ts";
import { type JsonSchema, schemaRef } from "./schemas.ts";

export interface ApiResponse {
  description: string;
  headers?: Record<string, JsonSchema>;
  content?: Record<string, { schema: JsonSchema; example?: unknown }>;
}

const retryAfter = { "Retry-After": { description: "Seconds to wait.", schema: { type: "integer", minimum: 0 } } };

/** Describes the refusals of an operation, by status; two codes may share one. */
export function refusals(codes: readonly ErrorCode[]): Record<string, ApiResponse> {
  const statuses = [...new Set(codes.map((code) => errorFacts[code].status))];
  const ofStatus = (status: number) => codes.filter((code) => errorFacts[code].status === status);
  return Object.fromEntries(statuses.map((status) => [String(status), refusal(ofStatus(status))]));
}

function refusal(codes: readonly ErrorCode[]): ApiResponse {
  const asksToWait = codes.some((code) => errorFacts[code].retry === "later");
  return {
    description: codes.map((code) => `\`${code}\`: ${errorFacts[code].meaning}`).join("\n\n"),
    ...(asksToWait ? { headers: retryAfter } : {}),
    content: { "application/problem+json": { schema: schemaRef("Problem") } },
  };
}

/** Describes a success with a JSON body. */
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
  "X-Request-Id": "The request's id: the client's own, if it sent a valid one.",
  "Content-Location": "The URL at which the same result can be looked up without the photo.",
  ETag: "For `If-None-Match`.",
  "Cache-Status": "RFC 9211: `hit`, or `fwd=miss` and whether the result is stored.",
  Age: "Seconds since the result was stored.",
  "RateLimit-Policy": "The limit that the request counts against: requests and seconds.",
  Location: "The job's URL.",
  Link: 'The next page, as `rel="next"`; missing on the last.',
  "Server-Timing": "Where the time went, in milliseconds.",
} as const;

export type HeaderName = keyof typeof headers;

/** Describes headers of an answer. */
export function headersOf(names: readonly HeaderName[]): Record<string, JsonSchema> {
  return Object.fromEntries(names.map((name) => [name, { description: headers[name], schema: { type: "string" } }]));
}

const exampleCaption = "a dog runs on the beach";

const exampleWords: [word: string, probability: number][] = [
  ["a", 0.84],
  ["dog", 0.71],
  ["runs", 0.38],
  ["on", 0.55],
  ["the", 0.83],
  ["beach", 0.62],
  ["endseq", 0.66],
];

const exampleLogProb = -3.16215; // the sum of their logarithms

/** An example of a caption. Its figures agree with each other; its ids belong to no photo. */
export const exampleResult: CaptionResult = {
  id: `sha256:${"5c1e".repeat(16)}`,
  contentId: `content:${"8d02".repeat(16)}`,
  caption: exampleCaption,
  confidence: 0.636523,
  candidates: [
    {
      caption: exampleCaption,
      confidence: 0.636523,
      logProb: exampleLogProb,
      words: exampleWords.map(([word, probability]) =>
        word === "endseq" ? { word, probability, end: true } : { word, probability },
      ),
    },
  ],
  image: { format: "jpeg", width: 500, height: 375, bytes: 81_234 },
  model: { id: "everyday-merge", revision: "0123456789ab" },
  options: { beam: 3, candidates: 1 },
};
