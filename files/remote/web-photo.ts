import { Readable } from "node:stream";
import { nameAddress, parseUrl, type Version } from "./address.ts";
import { Arrival, brokenArrival, expectPhotoSize, type RemoteRead, type RemoteReading, readBody } from "./read-body.ts";
import { UnfitObject } from "./unfit-object.ts";

const maxRedirects = 5;
const redirectStatuses = new Set([301, 302, 303, 307, 308]);
/** Statuses of servers that are busy or broken for a moment. */
const passingStatuses = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Reads a photo from the web. Throws an `UnfitObject`. */
export async function readWebPhoto(url: string, { maxBytes, unless }: RemoteReading): Promise<RemoteRead> {
  const arrival = new Arrival();
  let response: Response | undefined;
  try {
    response = await fetchWithin(url, { unless, signal: arrival.signal });
    if (response.status === 304 && unless !== undefined) return "unchanged";
    expectSuccess(response);
    if (!response.headers.has("Content-Encoding")) {
      expectPhotoSize(Number(response.headers.get("Content-Length") ?? 0), { maxBytes });
    }
    const body = Readable.fromWeb(response.body ?? new ReadableStream());
    const bytes = await readBody(body, { maxBytes, arrival });
    const [etag, lastModified] = ["ETag", "Last-Modified"].map((name) => response?.headers.get(name) ?? undefined);
    return { bytes, version: { etag, lastModified } };
  } catch (error) {
    void response?.body?.cancel().catch(() => undefined);
    throw error instanceof UnfitObject ? error : describeFailure(error, arrival);
  } finally {
    arrival.end();
  }
}

/** Follows redirects on one host. Those to others are not what was named. */
async function fetchWithin(
  address: string,
  { unless, signal }: Pick<RemoteReading, "unless"> & { signal: AbortSignal },
): Promise<Response> {
  let url = new URL(address);
  for (let hop = 0; hop <= maxRedirects; hop++) {
    const headers = { Accept: "image/*", "User-Agent": "edge-caption", ...conditionOf(unless) };
    const response = await fetch(url, { headers, redirect: "manual", signal });
    const location = response.headers.get("Location");
    if (!redirectStatuses.has(response.status) || location === null) return response;
    await response.body?.cancel();
    const next = parseUrl(location, url);
    if (next?.origin !== url.origin) {
      throw new UnfitObject(`it redirects to ${nameAddress(next?.href ?? location)}: name that address instead`);
    }
    url = next;
  }
  throw new UnfitObject(`it redirects more than ${maxRedirects} times`);
}

function conditionOf({ etag, lastModified }: Version = {}): Record<string, string> {
  if (etag !== undefined) return { "If-None-Match": etag };
  return lastModified === undefined ? {} : { "If-Modified-Since": lastModified };
}

function expectSuccess({ status, headers }: Response): void {
  if (status === 200) return;
  if (status === 404 || status === 410) throw new UnfitObject(`there is no such photo (status ${status})`);
  if (status === 401 || status === 403) {
    throw new UnfitObject(`access is denied (status ${status}): a presigned address may have expired`);
  }
  const isPassing = passingStatuses.has(status);
  const waitSeconds = Number(headers.get("Retry-After") ?? 0) || 0; // a date is not waited for
  throw new UnfitObject(
    `the server answered with status ${status}`,
    isPassing ? { retryAfterMs: 1000 * waitSeconds } : {},
  );
}

const certificateCodes = /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

/** Describes a request that got no answer. `fetch` has the reason as its cause. */
function describeFailure(error: unknown, arrival: Arrival): UnfitObject {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (certificateCodes.test(code)) return new UnfitObject(`its certificate is not trusted (${code})`, { cause: error });
  if (code === "ENOTFOUND") return new UnfitObject("there is no such host", { cause: error });
  if (arrival.signal.aborted || code === "") return brokenArrival(error, arrival);
  return new UnfitObject(`the host cannot be reached (${code})`, { cause: error, retryAfterMs: 0 });
}
