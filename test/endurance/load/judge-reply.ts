import { isCacheHit, type Reply } from "../../../shared/client-reply.ts";
import { captionResultSchema } from "../../../shared/contract.ts";
import { type ErrorCode, errorFacts } from "../../../shared/errors.ts";
import { problemSchema } from "../../../shared/problem.ts";

/** What came of a request: a caption, a refusal by the contract, or nothing that anybody could use. */
export type Verdict =
  | { kind: "answered"; isHit: boolean; caption: string; revision: string }
  | { kind: "refused"; code: ErrorCode }
  | { kind: "lost"; why: string };

/** Codes whose answers say when to ask again. */
const codesWithRetryAfter: ReadonlySet<ErrorCode> = new Set(["rate_limited", "overloaded"]);

/** Reads an answer to an upload by the letter of the contract; `id` is the photo's. */
export function judgeReply(reply: Reply, { id }: { id: string | undefined }): Verdict {
  try {
    return reply.status === 200 ? judgeCaption(reply, id) : judgeProblem(reply);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { kind: "lost", why: `status ${reply.status}: ${why.replaceAll(/\s+/g, " ").slice(0, 200)}` };
  }
}

function judgeCaption({ headers, text }: Reply, id: string | undefined): Verdict {
  const result = captionResultSchema.parse(JSON.parse(text));
  if (id !== undefined && result.id !== id) throw new Error(`expected the caption of ${id}, received ${result.id}'s`);
  return { kind: "answered", isHit: isCacheHit(headers), caption: result.caption, revision: result.model.revision };
}

function judgeProblem({ status, headers, text }: Reply): Verdict {
  const type = headers.get("Content-Type") ?? "no content type";
  if (type !== "application/problem+json") throw new Error(`expected a problem document, received ${type}`);
  const { code, status: told } = problemSchema.parse(JSON.parse(text));
  if (status !== errorFacts[code].status || status !== told) throw new Error(`expected another status for ${code}`);
  const retryAfter = headers.get("Retry-After") ?? "none";
  if (codesWithRetryAfter.has(code) && !/^[1-9]\d*$/.test(retryAfter)) {
    throw new Error(`expected Retry-After in seconds with ${code}, received ${retryAfter}`);
  }
  return { kind: "refused", code };
}
