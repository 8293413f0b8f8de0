import { expectNoContentCoding } from "../../shared/content-coding.ts";
import { CaptionError } from "../../shared/errors.ts";
import { joinBytes } from "../../shared/join-bytes.ts";

interface BodyLimits {
  maxBytes: number;
  timeoutMs: number;
  /** Ends reading; its reason is thrown. */
  signal: AbortSignal;
}

/**
 * Reads a request's whole body. Throws `payload_too_large` before the first byte if the length is declared, else at the
 * first byte over the limit; `request_timeout` for a slow body, `invalid_request` for an empty one and
 * `unsupported_media_type` for a compressed one.
 */
export async function readBody(
  request: Request,
  { maxBytes, timeoutMs, signal }: BodyLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  expectNoContentCoding(request.headers);
  const declared = request.headers.get("Content-Length");
  if (Number(declared ?? 0) > maxBytes) throw tooLarge(maxBytes, `${declared}`);
  const timeout = AbortSignal.timeout(timeoutMs);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunksOf(request, AbortSignal.any([signal, timeout]))) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > maxBytes) throw tooLarge(maxBytes, "more");
  }
  signal.throwIfAborted();
  if (timeout.aborted) {
    throw new CaptionError(
      "request_timeout",
      `expected the whole body within ${timeoutMs} ms, received ${length} bytes`,
    );
  }
  if (length === 0) throw new CaptionError("invalid_request", "expected a photo in the body, received no byte");
  return joinBytes(chunks);
}

/** The body's chunks, until it ends or `stop` aborts. */
async function* chunksOf(request: Request, stop: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = request.body?.getReader();
  if (reader === undefined) return;
  const cancel = () => reader.cancel().catch(() => {}); // ends a pending read; rejects only for a body that broke off
  stop.addEventListener("abort", cancel);
  try {
    while (!stop.aborted) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (cause) {
    throw new CaptionError("invalid_request", "the body ended before it was complete", { cause });
  } finally {
    stop.removeEventListener("abort", cancel);
    await cancel();
  }
}

function tooLarge(maxBytes: number, received: string): CaptionError {
  return new CaptionError("payload_too_large", `expected an image of at most ${maxBytes} bytes, received ${received}`);
}
