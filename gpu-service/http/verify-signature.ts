import { createHmac, timingSafeEqual } from "node:crypto";
import { CaptionError } from "../../shared/errors.ts";
import { parseContentDigest, signedText } from "../../shared/signature.ts";

/** Largest difference between the clocks of edge and service; an older signature is refused. */
const signatureSkewMs = 5 * 60 * 1000;

/**
 * Checks a request's signature against every secret in use, from its headers alone, so that an unsigned body is never read.
 * Returns the SHA-256 that the body must have; throws `unauthorized`. Node's own HMAC takes microseconds on this thread; that
 * of Web Crypto waits for a thread of the pool, which decodes photos, and made refusals wait with it.
 */
export function verifySignature(
  { method, target, headers }: { method: string; target: string; headers: Headers },
  { secrets, nowMs }: { secrets: readonly string[]; nowMs: number },
): Uint8Array<ArrayBuffer> {
  const timestamp = headers.get("X-Signature-Timestamp");
  const signature = headers.get("X-Signature");
  const bodyHash = parseContentDigest(headers.get("Content-Digest"));
  const isSigned = timestamp !== null && /^\d{1,12}$/.test(timestamp) && signature !== null;
  if (!isSigned || !/^[0-9a-f]{64}$/.test(signature) || bodyHash === null) {
    throw new CaptionError(
      "unauthorized",
      "expected a signed request: Content-Digest, X-Signature-Timestamp and X-Signature",
    );
  }
  if (Math.abs(nowMs - Number(timestamp) * 1000) > signatureSkewMs) {
    throw new CaptionError("unauthorized", "the signature's timestamp is more than five minutes from our clock");
  }
  const [caller, priority] = ["X-Caller", "X-Priority"].map((name) => headers.get(name) ?? undefined);
  const text = signedText(timestamp, { method, target, bodyHash, caller, priority });
  const received = Buffer.from(signature, "hex");
  const fits = (secret: string) => timingSafeEqual(createHmac("sha256", secret).update(text).digest(), received);
  if (secrets.some(fits)) return bodyHash;
  throw new CaptionError("unauthorized", "the signature fits none of the secrets that are valid at present");
}
