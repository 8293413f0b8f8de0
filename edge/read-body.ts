import * as z from "zod";
import { expectNoContentCoding } from "../shared/content-coding.ts";
import { CaptionError } from "../shared/errors.ts";
import { joinBytes } from "../shared/join-bytes.ts";
import { contentDigest, parseContentDigest } from "../shared/signature.ts";
import { type ArrivalLimits, ArrivalWatch } from "./arrival-watch.ts";
import type { BufferHold } from "./buffer-hold.ts";

/** Limit of a JSON body of addresses or ids: a hundred ids are about 7 kB. */
const maxJsonBytes = 16 * 1024;

/** Buffer sizes of one read: a slow sender ties up little memory, and a fast one needs few reads (4 kB reads take five times as long for 20 MiB). */
const minBufferBytes = 4 * 1024;
const maxBufferBytes = 64 * 1024;

interface BodyLimits extends SizeLimit {
  /** Bytes that may come beside what is limited, such as a multipart body's boundary lines. */
  framingBytes?: number;
  arrival: ArrivalLimits;
  hold: BufferHold;
}

interface SizeLimit {
  maxBytes: number;
  /** What is limited, as the error names it. */
  kind: "an image" | "JSON";
}

interface JsonLimits<T> extends Pick<BodyLimits, "arrival" | "hold"> {
  schema: z.ZodType<T>;
  maxBytes?: number;
}

interface StreamLimits {
  maxBytes: number;
  /** Makes the error for the first byte over `maxBytes`. */
  tooLarge: () => Error;
  /** Counts what has arrived and the buffer for the next read. */
  hold?: BufferHold;
  /** Ends the reading when it takes too long. */
  watch?: ArrivalWatch;
}

/** Reads a request's body within its limits and checks it against the client's `Content-Digest`, if there is one. */
export async function readBody(
  request: Request,
  { maxBytes, kind, framingBytes = 0, arrival, hold }: BodyLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  expectNoContentCoding(request.headers);
  const limit = { maxBytes, kind };
  const maxBodyBytes = maxBytes + framingBytes;
  const declared = declaredLength(request.headers);
  if (declared > maxBodyBytes) throw tooManyBytes(limit, declared);
  const expectedHash = readExpectedHash(request.headers);
  hold.expectRoomFor(declared);
  const watch = new ArrivalWatch({ ...arrival, tooLate: (cause) => bodyTooLate(cause, arrival) });
  try {
    const tooLarge = () => tooManyBytes(limit, "more");
    const body = await readBytes(request.body, { maxBytes: maxBodyBytes, tooLarge, hold, watch });
    if (expectedHash !== null) await expectHash(body, expectedHash);
    return body;
  } catch (error) {
    if (error instanceof CaptionError) throw error;
    watch.signal.throwIfAborted();
    throw new CaptionError("invalid_request", "the upload ended before it was complete", { cause: error });
  } finally {
    watch.end();
  }
}

/** Reads a request's JSON body. Throws `invalid_request` that says what was expected where. */
export async function readJson<T>(
  request: Request,
  { schema, maxBytes = maxJsonBytes, ...limits }: JsonLimits<T>,
): Promise<T> {
  const body = await readBody(request, { ...limits, maxBytes, kind: "JSON" });
  const parsed = schema.safeParse(parseJson(new TextDecoder().decode(body)));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path.join(".") || "the JSON body";
  throw new CaptionError("invalid_request", `${path}: ${issue?.message ?? z.prettifyError(parsed.error)}`);
}

/**
 * Reads a stream into one buffer and never holds more than `maxBytes` and one read. A missing stream is empty. When this
 * throws, the rest of the stream is left unread.
 */
export async function readBytes(
  stream: ReadableStream<Uint8Array> | null,
  { maxBytes, tooLarge, hold, watch }: StreamLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  if (stream === null) return new Uint8Array();
  const pieces: Uint8Array[] = [];
  hold?.onEviction(() => pieces.splice(0));
  let bytesRead = 0;
  let bufferBytes = minBufferBytes;
  const reader = stream.getReader({ mode: "byob" });
  watch?.watchRate(hold);
  const minReadBytes = watch?.minReadBytes ?? minBufferBytes;
  const { signal } = watch ?? {};
  signal?.addEventListener("abort", () => void reader.cancel(signal.reason).catch(() => {}), { once: true }); // ends a pending read
  try {
    for (;;) {
      hold?.growTo(bytesRead + bufferBytes);
      const { value, done } = await reader.readAtLeast(minReadBytes, new Uint8Array(bufferBytes));
      signal?.throwIfAborted();
      if (value !== undefined && value.length > 0) {
        bytesRead += value.length;
        watch?.note(bytesRead);
        if (bytesRead > maxBytes) throw tooLarge();
        pieces.push(value.length < bufferBytes ? value.slice() : value); // a view would keep the whole buffer
        bufferBytes = Math.min(Math.max(minBufferBytes, 2 * value.length), maxBufferBytes);
      }
      if (done) break;
    }
    hold?.complete();
    return joinBytes(pieces);
  } finally {
    watch?.end();
    reader.releaseLock();
  }
}

/** Reads `Content-Length`; 0 when it is missing or malformed. */
export function declaredLength(headers: Headers): number {
  const value = headers.get("Content-Length") ?? "";
  return /^\d+$/.test(value) ? Number(value) : 0;
}

/** Makes the error for a body over its size limit. */
export function tooManyBytes({ maxBytes, kind }: SizeLimit, received: number | "more"): CaptionError {
  return new CaptionError("payload_too_large", `expected ${kind} of at most ${maxBytes} bytes, received ${received}`);
}

function bodyTooLate(cause: "time" | "rate", { timeoutMs, minBytesPerSecond }: ArrivalLimits): CaptionError {
  const expected = cause === "time" ? `the whole body within ${timeoutMs} ms` : `${minBytesPerSecond} bytes a second`;
  return new CaptionError("request_timeout", `expected ${expected}, received less`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CaptionError("invalid_request", "expected a JSON body, received what does not parse as JSON", { cause });
  }
}

/** Reads the SHA-256 of a `Content-Digest` (RFC 9530), which has other algorithms ignored. */
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
