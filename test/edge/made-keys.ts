import { env } from "cloudflare:workers";
import { type KeyRecord, keyEntry, newApiKey } from "../../shared/api-key.ts";

/** Makes a key that the worker knows, and the header of a request with it. */
export async function madeKey(record: Partial<Pick<KeyRecord, "scopes" | "tier">> = {}) {
  const key = newApiKey();
  const { path, id } = await keyEntry(key);
  const metadata: KeyRecord = { id, name: "test", scopes: ["caption"], tier: "standard", createdAt: now(), ...record };
  await env.KEYS.put(path, id, { metadata });
  return { key, path, id, headers: { Authorization: `Bearer ${key}` } };
}

function now(): string {
  return new Date().toISOString();
}
