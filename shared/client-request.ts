import { type Reply, readRefusal } from "./client-reply.ts";
import { CaptionError, errorFacts } from "./errors.ts";

/** Wait before the second try when `Retry-After` is missing, as from a proxy; it doubles before each further try. */
const firstWaitSeconds = 1;
/** Largest random addition to a wait, so that clients refused together do not come back together. */
const spread = 0.25;

export interface RetryRules {
  /** Most tries of one request; 1 never retries. */
  maxTries: number;
  /** Longest wait between tries. When a server asks for a longer one, its refusal is thrown, with its `retryAfterSeconds`. */
  maxWaitSeconds: number;
  /** Time for one try, from the first byte sent to the last one received. */
  timeoutMs: number;
}

/** What a caller may do while a request is under way: end it, and hear of retries. */
export interface RequestWatch {
  /** Ends the request or the wait before the next try; its reason is thrown. */
  signal?: AbortSignal | undefined;
  /** Called before each wait with the edge's refusal and the length of the wait. */
  onRetry?: ((refusal: CaptionError, waitSeconds: number) => void) | undefined;
}

export interface ClientRequest {
  url: URL;
  /** `fetch` requires `duplex` for a body that is a stream; few type libraries have it. */
  init: RequestInit & { duplex?: "half" };
}

/**
 * Sends a request and retries while the edge says that it is busy (503, 429). Throws a `CaptionError` with the contract's code
 * for every other refusal, for the last one, and for an edge that cannot be reached or does not answer.
 */
export async function sendRequest(request: ClientRequest, rules: RetryRules, watch: RequestWatch): Promise<Reply> {
  for (let tries = 1; ; tries++) {
    const reply = await ask(request, rules, watch);
    if (reply.status >= 200 && reply.status < 300) return reply;
    const refusal = readRefusal(reply);
    const waitSeconds = waitBefore(tries + 1, refusal);
    const isWorthIt = isForLater(refusal) && canBeRepeated(request) && tries < rules.maxTries;
    if (!isWorthIt || waitSeconds > rules.maxWaitSeconds) throw refusal;
    watch.onRetry?.(refusal, waitSeconds);
    await wait(waitSeconds * (1 + spread * Math.random()), watch.signal);
  }
}

async function ask(
  { url, init }: ClientRequest,
  { timeoutMs }: Pick<RetryRules, "timeoutMs">,
  { signal }: Pick<RequestWatch, "signal">,
): Promise<Reply> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      ...init,
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  } catch (cause) {
    signal?.throwIfAborted();
    throw timeout.aborted
      ? new CaptionError("upstream_timeout", `${url.host} did not answer within ${timeoutMs} ms`, { cause })
      : new CaptionError("upstream_error", `${url.host} could not be reached${browserReasons(url)}`, { cause });
  }
}

/** Names what may be behind a browser's network error, which says the same for all of it; nothing outside of browsers. */
function browserReasons({ origin, protocol }: URL): string {
  const { location } = globalThis as { location?: { origin?: string; protocol?: string } }; // browsers and their workers have one
  if (location?.origin === undefined) return "";
  const reasons = ["it is down", "this device is offline"];
  if (location.origin !== origin) reasons.push(`its CORS_ORIGINS does not name ${location.origin}`);
  if (location.protocol === "https:" && protocol === "http:") reasons.push("an https page may not call http");
  return `: ${reasons.slice(0, -1).join(", ")} or ${reasons.at(-1)}`;
}

function isForLater({ code }: CaptionError): boolean {
  return errorFacts[code].retry === "later";
}

/** Whether a request can be sent again: a stream has already been read. */
function canBeRepeated({ init }: ClientRequest): boolean {
  return !(init.body instanceof ReadableStream);
}

function waitBefore(numberOfTry: number, { retryAfterSeconds }: CaptionError): number {
  return retryAfterSeconds ?? firstWaitSeconds * 2 ** (numberOfTry - 2);
}

function wait(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", end);
      resolve();
    }, seconds * 1000);
    if (signal?.aborted) end();
    signal?.addEventListener("abort", end, { once: true });
  });
}
