import { CaptionError, quote } from "../shared/errors.ts";
import { type ArrivalLimits, ArrivalWatch } from "./arrival-watch.ts";
import type { BufferHold } from "./buffer-hold.ts";
import { declaredLength, readBytes, tooManyBytes } from "./read-body.ts";
import { expectFetchable, type SourceRules } from "./source-address.ts";

const maxRedirects = 5;
const redirectStatuses = new Set([301, 302, 303, 307, 308]);

export interface SourceLimits {
  rules: SourceRules;
  /** Time for redirects, headers and body together. */
  arrival: ArrivalLimits;
}

interface FetchLimits extends SourceLimits {
  maxBytes: number;
  hold: BufferHold;
}

/**
 * Fetches a photo's bytes from its address. Fetches them anew each time, so that a photo that changed never gets an old
 * caption. Throws `source_unreachable`, and what an upload of the same bytes would throw.
 */
export async function fetchSource(
  address: string,
  { rules, arrival, maxBytes, hold }: FetchLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  const sizeLimit = { maxBytes, kind: "an image" } as const;
  const watch = new ArrivalWatch({ ...arrival, tooLate: (cause) => sourceTooLate(cause, arrival) });
  const { signal } = watch;
  let response: Response | undefined;
  try {
    response = await fetchChecked(new URL(address), { rules, signal });
    expectImageReply(response);
    const declared = declaredLength(response.headers);
    if (declared > maxBytes) throw tooManyBytes(sizeLimit, declared);
    hold.expectRoomFor(declared);
    return await readBytes(response.body, { maxBytes, tooLarge: () => tooManyBytes(sizeLimit, "more"), hold, watch });
  } catch (cause) {
    void response?.body?.cancel().catch(() => undefined);
    if (cause instanceof CaptionError) throw cause;
    signal.throwIfAborted();
    throw new CaptionError("source_unreachable", "the photo could not be fetched", { cause });
  } finally {
    watch.end();
  }
}

function sourceTooLate(cause: "time" | "rate", { timeoutMs, minBytesPerSecond }: ArrivalLimits): CaptionError {
  const how =
    cause === "time" ? `did not arrive within ${timeoutMs} ms` : `came slower than ${minBytesPerSecond} bytes a second`;
  return new CaptionError("source_unreachable", `the photo ${how}`);
}

/** Follows redirects one by one, since the runtime would follow them to unchecked addresses. */
async function fetchChecked(
  address: URL,
  { rules, signal }: { rules: SourceRules; signal: AbortSignal },
): Promise<Response> {
  let url = address;
  for (let hop = 0; hop <= maxRedirects; hop++) {
    expectFetchable(url, rules);
    const response = await fetch(url, {
      headers: { Accept: "image/*", "User-Agent": "edge-caption" },
      cache: "no-store", // a Worker's fetch may read through Cloudflare's cache
      redirect: "manual",
      signal,
    });
    const location = response.headers.get("Location");
    if (!redirectStatuses.has(response.status) || location === null) return response;
    await response.body?.cancel();
    url = new URL(location, url);
  }
  throw new CaptionError("source_unreachable", `the photo's address redirects more than ${maxRedirects} times`);
}

/** Refuses a reply that says it is a page or a video. The bytes decide whether any other is an image. */
function expectImageReply(response: Response): void {
  if (response.status !== 200) {
    throw new CaptionError("source_unreachable", `the photo's address answered with status ${response.status}`);
  }
  const type = (response.headers.get("Content-Type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  const mayBeImage = type === "" || type.startsWith("image/") || /^(application|binary)\/octet-stream$/.test(type);
  if (!mayBeImage) {
    throw new CaptionError(
      "unsupported_media_type",
      `expected an image at the photo's address, received ${quote(type)}`,
    );
  }
}
