import { CaptionError } from "./errors.ts";
import { toHex } from "./photo-id.ts";
import type { Priority } from "./priority.ts";

/** Largest difference between the clocks of edge and service; an older signature is refused. */
const signatureSkewMs = 5 * 60 * 1000;

const callerHashBytes = 16;

interface SignedParts {
  method: string;
  /** Path with query, as in the request line. */
  target: string;
  /** SHA-256 of the body. */
  bodyHash: Uint8Array<ArrayBuffer>;
  /** The `X-Caller` header, which `hashCaller` makes: the caller whose request the edge passes on. */
  caller?: string | undefined;
  /** The `X-Priority` header. Without it, services take the request for a person's. */
  priority?: Priority | undefined;
}

/**
 * Makes the headers that sign a request from edge to service: `Content-Digest` (RFC 9530) over the body, and an HMAC-SHA-256
 * over timestamp, method, path with query, that digest, and the caller and the priority, if they are given.
 */
export async function signatureHeaders(
  parts: SignedParts,
  { secret, nowMs }: { secret: string; nowMs: number },
): Promise<Record<string, string>> {
  const timestamp = String(Math.floor(nowMs / 1000));
  const key = await hmacKey(secret, "sign");
  const signature = await crypto.subtle.sign("HMAC", key, signedText(timestamp, parts));
  return {
    "Content-Digest": contentDigest(parts.bodyHash),
    "X-Signature-Timestamp": timestamp,
    "X-Signature": toHex(signature),
    ...(parts.caller === undefined ? {} : { "X-Caller": parts.caller }),
    ...(parts.priority === undefined ? {} : { "X-Priority": parts.priority }),
  };
}

/**
 * Names a caller of the edge to the service by 32 hex digits. They are the same for all requests of a caller, from any
 * isolate, and reveal neither key nor address to anyone without the secret.
 */
export async function hashCaller(caller: string, secret: string): Promise<string> {
  const text = new TextEncoder().encode(`caller\n${caller}`);
  const hash = await crypto.subtle.sign("HMAC", await hmacKey(secret, "sign"), text);
  return toHex(hash.slice(0, callerHashBytes));
}

/**
 * Checks a request's signature against every secret in use, from its headers alone, so that an unsigned body is never read.
 * Returns the SHA-256 that the body must have; throws `unauthorized`.
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
  const [caller, priority] = ["X-Caller", "X-Priority"].map((name) => headers.get(name) ?? undefined);
  const text = signedText(timestamp, { method, target, bodyHash, caller, priority });
  for (const secret of secrets) {
    // subtle.verify compares in constant time
    if (await crypto.subtle.verify("HMAC", await hmacKey(secret, "verify"), signature, text)) return bodyHash;
  }
  throw new CaptionError("unauthorized", "the signature fits none of the secrets that are valid at present");
}

/** Writes `sha-256=:<base64>:` (RFC 9530). */
export function contentDigest(hash: Uint8Array): string {
  return `sha-256=:${btoa(String.fromCharCode(...hash))}:`;
}

/** Reads the SHA-256 of a `Content-Digest` header, or null if it has none. */
export function parseContentDigest(header: string | null): Uint8Array<ArrayBuffer> | null {
  const base64 = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):/.exec(header ?? "")?.[1];
  return base64 === undefined ? null : Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

type SignedText = Omit<SignedParts, "priority"> & { priority?: string | undefined };

/** Builds the signed text. Its version says whether there are a caller and a priority, so that nobody can add or remove a header. */
function signedText(timestamp: string, { method, target, bodyHash, caller, priority }: SignedText) {
  const request = [timestamp, method, target, contentDigest(bodyHash)];
  return new TextEncoder().encode(versionedLines(request, { caller, priority }).join("\n"));
}

function versionedLines(request: string[], { caller, priority }: Pick<SignedText, "caller" | "priority">): string[] {
  if (priority === undefined) return caller === undefined ? ["v1", ...request] : ["v2", ...request, caller];
  return caller === undefined ? ["v3", ...request, priority] : ["v4", ...request, caller, priority];
}

function hmacKey(secret: string, usage: "sign" | "verify") {
  const bytes = new TextEncoder().encode(secret);
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, [usage]);
}

function fromHex(text: string | null): Uint8Array<ArrayBuffer> | null {
  if (text === null || !/^[0-9a-f]{64}$/.test(text)) return null;
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
