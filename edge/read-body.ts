import { CaptionError } from "../shared/errors.ts";
import { contentDigest, parseContentDigest } from "../shared/signature.ts";
import type { BufferHold } from "./buffer-hold.ts";
import { declaredLength, readBytes } from "./read-bytes.ts";

/** Of a JSON body that holds addresses or ids: a hundred ids are about 7 kB. */
const maxJsonBytes = 16 * 1024;

interface BodyLimits {
  maxBytes: number;
  /** What to throw when there is more: for a multipart body, the limit that the client knows is the image's. */
  tooManyBytes: (received: number | "more") => CaptionError;
  /** For the whole body. */
  timeoutMs: number;
  hold: BufferHold;
}

/** Reads a request's body within its limits and checks it against the client's `Content-Digest` where there is one. */
export async function readBody(
  request: Request,
  { maxBytes, tooManyBytes, timeoutMs, hold }: BodyLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  const declared = declaredLength(request.headers);
  if (declared > maxBytes) throw tooManyBytes(declared);
  const expectedHash = readExpectedHash(request.headers);
  // Room for the whole upload at once where its size is known: those let in will also finish.
  hold.growTo(declared);
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const body = await readBytes(request.body, {
      maxBytes,
      tooLarge: () => tooManyBytes("more"),
      onProgress: (bytesRead) => hold.growTo(bytesRead),
      signal,
    });
    if (expectedHash !== null) await expectHash(body, expectedHash);
    return body;
  } catch (error) {
    if (error instanceof CaptionError) throw error;
    if (signal.aborted) {
      throw new CaptionError("request_timeout", `expected the whole body within ${timeoutMs} ms`, { cause: error });
    }
    throw new CaptionError("invalid_request", "the upload broke off before its end", { cause: error });
  }
}

/** A body that holds a question and no photo, as text. */
export async function readJsonBody(
  request: Request,
  { timeoutMs, hold, maxBytes = maxJsonBytes }: Pick<BodyLimits, "timeoutMs" | "hold"> & { maxBytes?: number },
): Promise<string> {
  const tooMany = (received: number | "more") =>
    new CaptionError("payload_too_large", `expected JSON of at most ${maxBytes} bytes, received ${received}`);
  return new TextDecoder().decode(await readBody(request, { maxBytes, tooManyBytes: tooMany, timeoutMs, hold }));
}

/** The SHA-256 of a `Content-Digest` (RFC 9530); other algorithms are passed over, as the standard has it. */
function readExpectedHash(headers: Headers): Uint8Array<ArrayBuffer> | null {
  const header = headers.get("Content-Digest");
  const hash = parseContentDigest(header);
  if (hash === null && /(?:^|,)\s*sha-256\s*(?:=|,|$)/i.test(header ?? "")) {
    throw new CaptionError("invalid_request", "expected Content-Digest to be sha-256=:<44 characters of base64>:");
  }
  return hash;
}

async function expectHash(body: Uint8Array<ArrayBuffer>, expected: Uint8Array<ArrayBuffer>): Promise<void> {
  const received = contentDigest(new Uint8Array(await crypto.subtle.digest("SHA-256", body)));
  if (received === contentDigest(expected)) return;
  throw new CaptionError(
    "invalid_request",
    `expected a body with the digest of Content-Digest, received one with ${received}: it was changed on its way`,
  );
}
