import type * as z from "zod";
import type { Reply } from "../shared/client-reply.ts";
import { CaptionError, errorFacts } from "../shared/errors.ts";
import { parseProblem } from "../shared/problem.ts";

/** A service's answer by the contract: the value that was asked for, or a refusal. */
export type ServiceAnswer<T> = { value: T } | { refusal: CaptionError };

/**
 * Reads a reply by the contract; a refusal that is not passed on becomes `upstream_error`. Throws `upstream_error` for a
 * reply that the contract does not know.
 */
export function readReply<T>(reply: Reply, schema: z.ZodType<T>): ServiceAnswer<T> {
  if (reply.status !== 200) return { refusal: refusalOf(reply) };
  try {
    return { value: schema.parse(JSON.parse(reply.text)) };
  } catch (cause) {
    throw outsideContract(cause);
  }
}

/** Makes the error for a reply that the contract does not know; `cause` is for our log. */
export function outsideContract(cause: unknown): CaptionError {
  return new CaptionError("upstream_error", "the captioning service answered outside its contract", { cause });
}

/** Cause of an `upstream_error` for a service that did not answer at all, as during a restart. */
export class Unreachable extends Error {}

/** Makes the error for a service that did not answer at all. */
export function unreachable(cause: unknown): CaptionError {
  const reason = new Unreachable("no answer", { cause });
  return new CaptionError("upstream_error", "the captioning service could not be reached", { cause: reason });
}

/** Whether a proxy or tunnel in front of a service says that the service is not there; 520 to 530 are Cloudflare's. */
export function isGatewayStatus(status: number): boolean {
  return (status >= 502 && status <= 504) || (status >= 520 && status <= 530);
}

function refusalOf({ status, headers, text }: Reply): CaptionError {
  const problem = parseProblem(text);
  if (problem === undefined) {
    const reason = new Error(`status ${status} without a problem document`);
    throw isGatewayStatus(status) ? unreachable(reason) : outsideContract(reason);
  }
  const { code, detail } = problem;
  const { isPassedOn, retry } = errorFacts[code];
  if (isPassedOn) {
    return new CaptionError(code, detail, retry === "later" ? { retryAfterSeconds: retryAfterSeconds(headers) } : {});
  }
  // The cause is for our log: `unauthorized`, for example, means that the two sides hold different secrets.
  return new CaptionError("upstream_error", "the captioning service refused our request", {
    cause: new Error(`status ${status}, ${code}: ${detail}`),
  });
}

function retryAfterSeconds(headers: Headers): number {
  const value = headers.get("Retry-After") ?? "";
  return /^\d{1,6}$/.test(value) ? Number(value) : 1;
}
