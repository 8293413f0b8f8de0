import * as z from "zod";
import { CaptionError, errorCodes, errorFacts } from "./errors.ts";

/** A problem document (RFC 9457), `application/problem+json`. */
export const problemSchema = z.object({
  type: z.literal("about:blank"),
  title: z.string(),
  status: z.int(),
  code: z.enum(errorCodes),
  detail: z.string(),
  requestId: z.string(),
});

export type Problem = z.infer<typeof problemSchema>;

/** Parses a reply's text as a problem document; undefined for any other text, such as a proxy's page. */
export function parseProblem(text: string): Problem | undefined {
  try {
    return problemSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * Builds the response for anything thrown. Anything but a `CaptionError` becomes a bland 500 whose message never reaches the
 * client, so log it before calling this.
 */
export function problemResponse(thrown: unknown, requestId: string): Response {
  const error =
    thrown instanceof CaptionError ? thrown : new CaptionError("internal", "something went wrong on our side");
  const problem: Problem = {
    type: "about:blank",
    title: errorFacts[error.code].title,
    status: error.status,
    code: error.code,
    detail: error.message,
    requestId,
  };
  const headers = new Headers({
    "Content-Type": "application/problem+json",
    "Cache-Control": "no-store, no-transform",
    "X-Request-Id": requestId,
  });
  if (error.retryAfterSeconds !== undefined) headers.set("Retry-After", String(error.retryAfterSeconds));
  if (error.allow !== undefined) headers.set("Allow", error.allow.join(", "));
  if (error.acceptEncoding !== undefined) headers.set("Accept-Encoding", error.acceptEncoding);
  return new Response(JSON.stringify(problem), { status: error.status, headers });
}
