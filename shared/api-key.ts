import * as z from "zod";
import { toHex } from "./photo-id.ts";

/** What a key lets its holder do: caption and look up, or delete captions. */
export const keyScopes = ["caption", "admin"] as const;
/** How much of it: each tier has a limit of its own. */
export const keyTiers = ["standard", "high"] as const;

export type KeyScope = (typeof keyScopes)[number];
export type KeyTier = (typeof keyTiers)[number];

/** What is stored of a key; the key itself is known to its holder alone. */
export const keyRecordSchema = z.strictObject({
  /** The first 12 hex digits of its hash: enough to tell keys apart, and no help in guessing one. */
  id: z.string().regex(/^[0-9a-f]{12}$/),
  /** For people: whose key it is. */
  name: z.string().min(1).max(100),
  scopes: z.array(z.enum(keyScopes)).min(1),
  tier: z.enum(keyTiers),
  createdAt: z.iso.datetime(),
});

export type KeyRecord = z.infer<typeof keyRecordSchema>;

export const keyPathPrefix = "key/";

/** A new key: 256 random bits, so that its hash needs no salt. The prefix lets scanners for leaked secrets know it. */
export function newApiKey(): string {
  return `ec_${toHex(crypto.getRandomValues(new Uint8Array(32)))}`;
}

/** Whether a text has the form of a key; only KV knows whether it is one. */
export function isApiKey(text: string): boolean {
  return /^ec_[0-9a-f]{64}$/.test(text);
}

/** Where a key's record stands in KV, and the key's id. */
export async function keyPlace(key: string): Promise<{ path: string; id: string }> {
  const hash = toHex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key)));
  return { path: `${keyPathPrefix}${hash}`, id: hash.slice(0, 12) };
}
