import { expectNoContentCoding } from "../shared/content-coding.ts";
import { CaptionError } from "../shared/errors.ts";
import { contentDigest, parseContentDigest } from "../shared/signature.ts";
import { type ArrivalLimits, ArrivalWatch } from "./arrival-watch.ts";
import type { BufferHold } from "./buffer-hold.ts";
import { declaredLength, readBytes } from "./read-bytes.ts";

/** Of a JSON body that holds addresses or ids: a hundred ids are about 7 kB. */
const maxJsonBytes = 16 * 1024;

interface BodyLimits {
  arrival: ArrivalLimits;
  maxBytes: number;
  /** What to throw when there is more: for a multipart body, the limit that the client knows is the image's. */
  tooManyBytes: (received: number | "more") => CaptionError;
  hold: BufferHold;
}

/** Reads a request's body within its limits and checks it against the client's `Content-Digest` where there is one. */
export async function readBody(
  request: Request,
  { arrival, maxBytes, tooManyBytes, hold }: BodyLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  expectNoContentCoding(request.headers);
  const declared = declaredLength(request.headers);
  if (declared > maxBytes) throw tooManyBytes(declared);
  const expectedHash = readExpectedHash(request.headers);
  hold.expectRoomFor(declared);
  const watch = new ArrivalWatch({ ...arrival, tooLate: (limit) => bodyTooLate(limit, arrival) });
  try {
    const body = await readBytes(request.body, { maxBytes, tooLarge: () => tooManyBytes("more"), hold, watch });
    if (expectedHash !== null) await expectHash(body, expectedHash);
    return body;
  } catch (error) {
    if (error instanceof CaptionError) throw error;
    watch.signal.throwIfAborted();
    throw new CaptionError("invalid_request", "the upload broke off before its end", { cause: error });
  } finally {
    watch.end();
  }
}

function bodyTooLate(limit: "time" | "rate", { timeoutMs, minBytesPerSecond }: ArrivalLimits): CaptionError {
  const expected = limit === "time" ? `the whole body within ${timeoutMs} ms` : `${minBytesPerSecond} bytes a second`;
  return new CaptionError("request_timeout", `expected ${expected}, received less`);
}

/** A body that holds a question and no photo, as text. */
export async function readJsonBody(
  request: Request,
  { maxBytes = maxJsonBytes, ...limits }: Pick<BodyLimits, "arrival" | "hold"> & { maxBytes?: number },
): Promise<string> {
  const tooMany = (received: number | "more") =>
    new CaptionError("payload_too_large", `expected JSON of at most ${maxBytes} bytes, received ${received}`);
  return new TextDecoder().decode(await readBody(request, { ...limits, maxBytes, tooManyBytes: tooMany }));
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
