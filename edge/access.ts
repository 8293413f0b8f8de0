import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import {
  isApiKey,
  type KeyRecord,
  type KeyScope,
  keyEntry,
  keyPathPrefix,
  keyRecordSchema,
} from "../shared/api-key.ts";
import { CaptionError } from "../shared/errors.ts";
import type { EdgeEnv } from "./context.ts";
import { describeError, log } from "./log.ts";
import { type Caller, limitCaller, publicCaller } from "./rate-limit.ts";

/** Time for which a key is read from the data centre's cache, and so for which a revoked one may still be accepted. */
const keyCacheSeconds = 60;

/**
 * Lets in callers who may use the route, within the limit of their tier. `admin` and `jobs` always require a key; for
 * `caption` the setting ACCESS decides. Runs before the body is read.
 */
export function access(scope: KeyScope) {
  return createMiddleware<EdgeEnv>(async (c, next) => {
    const caller = await identify(c, scope);
    c.set("tier", caller.tier);
    c.set("caller", caller.limitKey);
    await limitCaller(c, caller);
    await next();
  });
}

async function identify(c: Context<EdgeEnv>, scope: KeyScope): Promise<Caller> {
  const { access } = c.get("settings");
  const header = c.req.header("Authorization");
  const mayBePublic = scope === "caption" && access !== "keys";
  if (mayBePublic && (access === "public" || header === undefined)) return publicCaller(c);
  const record = await readKey(c, { header, mayBePublic });
  if (record === "unreadable") return publicCaller(c);
  if (!record.scopes.includes(scope)) {
    throw new CaptionError(
      "forbidden",
      `expected a key with the scope ${scope}, received one with ${record.scopes.join(", ")}`,
    );
  }
  return { tier: record.tier, limitKey: record.id };
}

/** Reads the record of the request's key. While KV is down, callers count as public if the public may call at all. */
async function readKey(
  c: Context<EdgeEnv>,
  { header, mayBePublic }: { header: string | undefined; mayBePublic: boolean },
): Promise<KeyRecord | "unreadable"> {
  const key = /^Bearer +(\S+)$/i.exec(header ?? "")?.[1];
  if (key === undefined) throw new CaptionError("unauthorized", "expected an API key: Authorization: Bearer ec_…");
  try {
    const record = isApiKey(key) ? await findKey(c.get("settings").keys, key) : null;
    if (record !== null) return record;
  } catch (cause) {
    log("warn", "keys cannot be read", { error: describeError(cause) });
    if (mayBePublic) return "unreadable";
    throw new CaptionError("overloaded", "API keys cannot be checked at present", { cause, retryAfterSeconds: 5 });
  }
  await limitCaller(c, publicCaller(c)); // guesses count against the limit of callers without a key
  throw new CaptionError("unauthorized", "the API key is not known here, or was revoked");
}

/** Whether there is a key with this id that has the scope. KV takes a minute or more to list a new key, or a revoked one no more. */
export async function hasKey(keys: KVNamespace, { id, scope }: { id: string; scope: KeyScope }): Promise<boolean> {
  const { keys: found } = await keys.list({ prefix: `${keyPathPrefix}${id}` });
  return found.some(({ metadata }) => keyRecordSchema.parse(metadata).scopes.includes(scope));
}

async function findKey(keys: KVNamespace, key: string): Promise<KeyRecord | null> {
  const { path } = await keyEntry(key);
  const { metadata } = await keys.getWithMetadata(path, { cacheTtl: keyCacheSeconds });
  return metadata === null ? null : keyRecordSchema.parse(metadata);
}
