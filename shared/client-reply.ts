import type * as z from "zod";
import { CaptionError, type ErrorCode, errorCodes, errorFacts } from "./errors.ts";
import { parseProblem } from "./problem.ts";

export interface Reply {
  status: number;
  headers: Headers;
  text: string;
}

/** Whether a cache held the answer, so that no model ran for it; read from `Cache-Status` (RFC 9211). */
export function isCacheHit(headers: Headers): boolean {
  return /;\s*hit\b/.test(headers.get("Cache-Status") ?? "");
}

/** Reads a successful reply by the contract. Throws `upstream_error` for anything else, which no edge of ours sends. */
export function readSuccess<T>({ status, headers, text }: Reply, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new CaptionError(
      "upstream_error",
      `expected a reply of the contract, received ${status} with other content`,
      {
        cause,
        ...requestIdOf(headers),
      },
    );
  }
}

/** Turns a refusal into an error with the contract's code. */
export function readRefusal({ status, headers, text }: Reply): CaptionError {
  const about = { ...requestIdOf(headers), ...retryAfterOf(headers) };
  const problem = parseProblem(text);
  if (problem !== undefined) return new CaptionError(problem.code, problem.detail, about);
  const type = headers.get("Content-Type") ?? "no content type";
  const message = `expected a reply of the contract, received status ${status} with ${type}`;
  return new CaptionError(codeOfBareStatus(status), message, about);
}

/** Finds the code for a status without a problem document, which comes from a proxy and not from the edge. */
function codeOfBareStatus(status: number): ErrorCode {
  const isMeant = (code: ErrorCode) => errorFacts[code].isMeantByBareStatus && errorFacts[code].status === status;
  return errorCodes.find(isMeant) ?? "upstream_error";
}

function requestIdOf(headers: Headers): { requestId?: string } {
  const requestId = headers.get("X-Request-Id");
  return requestId === null ? {} : { requestId };
}

/** Reads `Retry-After`, which is seconds or a date (RFC 9110, 10.2.3), as whole seconds from now. */
function retryAfterOf(headers: Headers): { retryAfterSeconds?: number } {
  const value = headers.get("Retry-After") ?? "";
  if (/^\d{1,9}$/.test(value)) return { retryAfterSeconds: Number(value) };
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? {} : { retryAfterSeconds: Math.max(0, Math.ceil((atMs - Date.now()) / 1000)) };
}
