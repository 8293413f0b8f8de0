import type { Context } from "hono";
import { type CaptionOptions, captionQuery, searchOf } from "../shared/caption-options.ts";
import type { CaptionResult } from "../shared/contract.ts";
import { toHex } from "../shared/photo-id.ts";
import type { Caption } from "./caption-cache.ts";
import type { EdgeEnv } from "./context.ts";

/** Headers kept on a 304: those that RFC 9110 requires, those on how the answer came about, and those for pages of other origins. */
export const headersOf304 = [
  ...["age", "cache-control", "cache-status", "content-location", "etag", "ratelimit-policy", "x-request-id"],
  ...["access-control-allow-origin", "access-control-expose-headers", "vary"],
];

interface ResponseParts {
  /** The photo's id in the look-up's path. */
  id: string;
  options: CaptionOptions;
  caption: Caption;
  /** The caption's result for the requested file. */
  result: CaptionResult;
}

/**
 * Builds the 200 of an upload and of a look-up: one representation with one `ETag` and one URL. It is `no-cache`, because
 * another model revision would answer differently, and `no-transform`, because Cloudflare's compression weakens the `ETag`.
 */
export async function captionResponse(
  c: Context<EdgeEnv>,
  { id, options, caption, result }: ResponseParts,
): Promise<Response> {
  const query = captionQuery(options);
  const form = query === captionQuery(searchOf(options)) ? "" : query; // of one stored result each form has its own tag
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${caption.body}${form}`));
  return c.body(JSON.stringify(result), 200, {
    "Content-Type": "application/json",
    "Cache-Control": "no-cache, no-transform",
    "Content-Location": `/v1/captions/${id}?${query}`,
    ETag: `"${toHex(hash)}"`,
    ...cacheHeaders(caption),
  });
}

/** Builds `Cache-Status` (RFC 9211) and `Age`. `stored` means that the write has begun: as in any cache, the header is sent before it ends. */
export function cacheHeaders({ from, storedAtMs }: Caption): Record<string, string> {
  if (from === "service") return { "Cache-Status": "edge-caption; fwd=miss; stored" };
  if (from === "service, not stored") return { "Cache-Status": "edge-caption; fwd=miss" };
  if (from === "another request") return { "Cache-Status": "edge-caption; fwd=miss; collapsed" };
  const ageSeconds = Math.max(0, Math.floor((Date.now() - storedAtMs) / 1000));
  return { "Cache-Status": `edge-caption; hit; detail=${from}`, Age: String(ageSeconds) };
}
