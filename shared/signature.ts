import { toHex } from "./photo-id.ts";
import type { Priority } from "./priority.ts";

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
  const key = await hmacKey(secret);
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
  const hash = await crypto.subtle.sign("HMAC", await hmacKey(secret), text);
  return toHex(hash.slice(0, callerHashBytes));
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
export function signedText(timestamp: string, { method, target, bodyHash, caller, priority }: SignedText) {
  const request = [timestamp, method, target, contentDigest(bodyHash)];
  return new TextEncoder().encode(versionedLines(request, { caller, priority }).join("\n"));
}

function versionedLines(request: string[], { caller, priority }: Pick<SignedText, "caller" | "priority">): string[] {
  if (priority === undefined) return caller === undefined ? ["v1", ...request] : ["v2", ...request, caller];
  return caller === undefined ? ["v3", ...request, priority] : ["v4", ...request, caller, priority];
}

function hmacKey(secret: string) {
  const bytes = new TextEncoder().encode(secret);
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}
