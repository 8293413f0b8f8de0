import type * as z from "zod";
import { CaptionError, type ErrorCode } from "../shared/errors.ts";
import { problemSchema } from "../shared/problem.ts";
import { parseJson } from "./parse-json.ts";

export interface ServiceReply {
  status: number;
  headers: Headers;
  text: string;
}

/** What the service may tell the caller: it is about the photo or the load. Anything else is between us and it. */
const passedOnCodes: ReadonlySet<ErrorCode> = new Set([
  "payload_too_large",
  "unsupported_media_type",
  "invalid_image",
  "overloaded",
  "upstream_timeout",
]);

/** The contract's reading of a reply. Throws the service's own refusal where it may be passed on, else `upstream_error`. */
export function parseReply<T>(reply: ServiceReply, schema: z.ZodType<T>): T {
  if (reply.status !== 200) throw refusal(reply);
  try {
    return parseJson(reply.text, schema);
  } catch (cause) {
    throw outsideContract(cause);
  }
}

export function outsideContract(cause: unknown): CaptionError {
  return new CaptionError("upstream_error", "the captioning service answered outside its contract", { cause });
}

function refusal({ status, headers, text }: ServiceReply): CaptionError {
  const problem = parseProblem(text);
  if (problem === null) return outsideContract(new Error(`status ${status} without a problem document`));
  const { code, detail } = problem;
  if (code === "overloaded") return new CaptionError(code, detail, { retryAfterSeconds: retryAfterSeconds(headers) });
  if (passedOnCodes.has(code)) return new CaptionError(code, detail);
  // The cause is for our log: `unauthorized`, say, tells that the two sides hold different secrets.
  return new CaptionError("upstream_error", "the captioning service refused our request", {
    cause: new Error(`status ${status}, ${code}: ${detail}`),
  });
}

function parseProblem(text: string) {
  try {
    return parseJson(text, problemSchema);
  } catch {
    return null; // any text can come with an error status: a proxy's page, or nothing
  }
}

function retryAfterSeconds(headers: Headers): number {
  const value = headers.get("Retry-After") ?? "";
  return /^\d{1,6}$/.test(value) ? Number(value) : 1;
}
