import * as z from "zod";
import { toHex } from "./photo-id.ts";

/** Permissions of a key: to caption and look up, to delete captions, or to caption whole buckets. */
export const keyScopes = ["caption", "admin", "jobs"] as const;
/** Tiers of keys, each with its own rate limit. */
export const keyTiers = ["standard", "high"] as const;

export type KeyScope = (typeof keyScopes)[number];
export type KeyTier = (typeof keyTiers)[number];

/** The stored record of a key. Only its holder knows the key itself. */
export const keyRecordSchema = z.strictObject({
  /** The first 12 hex digits of its hash: enough to tell keys apart, and no help in guessing one. */
  id: z.string().regex(/^[0-9a-f]{12}$/),
  /** Name of the holder, for people to read. */
  name: z.string().min(1).max(100),
  scopes: z.array(z.enum(keyScopes)).min(1),
  tier: z.enum(keyTiers),
  createdAt: z.iso.datetime(),
});

export type KeyRecord = z.infer<typeof keyRecordSchema>;

export const keyPathPrefix = "key/";

/** Generates a key of 256 random bits, so that its hash needs no salt. Scanners for leaked secrets recognize the prefix. */
export function newApiKey(): string {
  return `ec_${toHex(crypto.getRandomValues(new Uint8Array(32)))}`;
}

/** Whether a text has the form of a key. Only KV knows whether it is valid. */
export function isApiKey(text: string): boolean {
  return /^ec_[0-9a-f]{64}$/.test(text);
}

/** Returns the path of a key's record in KV, and the key's id. */
export async function keyEntry(key: string): Promise<{ path: string; id: string }> {
  const hash = toHex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key)));
  return { path: `${keyPathPrefix}${hash}`, id: hash.slice(0, 12) };
}
