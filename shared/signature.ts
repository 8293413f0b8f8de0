import { CaptionError } from "./errors.ts";
import { toHex } from "./photo-id.ts";

/** How far the clocks of edge and service may lie apart; an older signature is refused. */
export const signatureSkewMs = 5 * 60 * 1000;

interface SignedParts {
  method: string;
  /** Path with query, as it stands in the request line. */
  target: string;
  /** SHA-256 of the body. */
  bodyHash: Uint8Array<ArrayBuffer>;
}

/**
 * Headers that sign a request from edge to service: `Content-Digest` (RFC 9530) over the body, and an HMAC-SHA-256
 * over timestamp, method, path with query and that digest.
 */
export async function signatureHeaders(
  { method, target, bodyHash }: SignedParts,
  { secret, nowMs }: { secret: string; nowMs: number },
): Promise<Record<string, string>> {
  const timestamp = String(Math.floor(nowMs / 1000));
  const key = await hmacKey(secret, "sign");
  const signature = await crypto.subtle.sign("HMAC", key, signedText(timestamp, { method, target, bodyHash }));
  return {
    "Content-Digest": contentDigest(bodyHash),
    "X-Signature-Timestamp": timestamp,
    "X-Signature": toHex(signature),
  };
}

/**
 * Checks a request's signature against every secret that is valid at present, from its headers alone, so that an
 * unsigned body is never read. Returns the SHA-256 that the body must have; throws `unauthorized`.
 */
export async function verifySignature(
  { method, target, headers }: { method: string; target: string; headers: Headers },
  { secrets, nowMs }: { secrets: readonly string[]; nowMs: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const timestamp = headers.get("X-Signature-Timestamp");
  const signature = fromHex(headers.get("X-Signature"));
  const bodyHash = parseContentDigest(headers.get("Content-Digest"));
  if (timestamp === null || !/^\d{1,12}$/.test(timestamp) || signature === null || bodyHash === null) {
    throw new CaptionError(
      "unauthorized",
      "expected a signed request: Content-Digest, X-Signature-Timestamp and X-Signature",
    );
  }
  if (Math.abs(nowMs - Number(timestamp) * 1000) > signatureSkewMs) {
    throw new CaptionError("unauthorized", "the signature's timestamp is more than five minutes from our clock");
  }
  const text = signedText(timestamp, { method, target, bodyHash });
  for (const secret of secrets) {
    // subtle.verify compares in constant time
    if (await crypto.subtle.verify("HMAC", await hmacKey(secret, "verify"), signature, text)) return bodyHash;
  }
  throw new CaptionError("unauthorized", "the signature fits none of the secrets that are valid at present");
}

/** `sha-256=:<base64>:`, RFC 9530. */
export function contentDigest(hash: Uint8Array): string {
  return `sha-256=:${btoa(String.fromCharCode(...hash))}:`;
}

/** The SHA-256 of a `Content-Digest` header, or null when it holds none. */
export function parseContentDigest(header: string | null): Uint8Array<ArrayBuffer> | null {
  const base64 = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):/.exec(header ?? "")?.[1];
  return base64 === undefined ? null : Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function signedText(timestamp: string, { method, target, bodyHash }: SignedParts) {
  return new TextEncoder().encode(["v1", timestamp, method, target, contentDigest(bodyHash)].join("\n"));
}

function hmacKey(secret: string, usage: "sign" | "verify") {
  const bytes = new TextEncoder().encode(secret);
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, [usage]);
}

function fromHex(text: string | null): Uint8Array<ArrayBuffer> | null {
  if (text === null || !/^[0-9a-f]{64}$/.test(text)) return null;
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
