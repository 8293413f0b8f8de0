import type { Context } from "hono";
import ipaddr from "ipaddr.js";
import { CaptionError } from "../shared/errors.ts";
import type { EdgeEnv } from "./context.ts";
import { describeError, log } from "./log.ts";
import type { Tier } from "./settings.ts";

export interface Caller {
  tier: Tier;
  /** Equal for requests that are counted together. */
  limitKey: string;
}

/** Identifies a caller without a key by network address. */
export function publicCaller(c: Context<EdgeEnv>): Caller {
  return { tier: "public", limitKey: networkOf(c.req.header("CF-Connecting-IP") ?? "") };
}

/** Counts all of an IPv6 /64 as one, since a customer has that many addresses or more. */
function networkOf(address: string): string {
  if (!ipaddr.IPv6.isValid(address)) return address;
  return ipaddr.IPv6.parse(address)
    .parts.slice(0, 4)
    .map((part) => part.toString(16))
    .join(":");
}

/**
 * Counts a request against its tier's limit, and without a key also against the common limit of all such callers. Sends the
 * limits (draft-ietf-httpapi-ratelimit-headers). Throws `rate_limited`.
 */
export async function limitCaller(c: Context<EdgeEnv>, { tier, limitKey }: Caller): Promise<void> {
  const { tiers, overall } = c.get("settings");
  await countRequest(c, { ...tiers[tier], name: tier, limitKey, scope: ` (${tier})` });
  if (tier !== "public") return;
  await countRequest(c, { ...overall, name: "overall", limitKey: "public", scope: " from all callers without a key" });
}

interface NamedLimit {
  name: string;
  limiter: RateLimit | undefined;
  limit: number;
  periodSeconds: number;
  limitKey: string;
  /** The error's words for the requests that are counted together. */
  scope: string;
}

/** Counts a request against one limit. The binding only says yes or no, so `Retry-After` is its whole period. */
async function countRequest(
  c: Context<EdgeEnv>,
  { name, limiter, limit, periodSeconds, limitKey, scope }: NamedLimit,
): Promise<void> {
  if (limiter === undefined) return;
  c.res.headers.append("RateLimit-Policy", `"${name}";q=${limit};w=${periodSeconds}`); // set on refusals too
  if (await isWithinLimit(limiter, limitKey)) return;
  throw new CaptionError(
    "rate_limited",
    `expected at most ${limit} requests in ${periodSeconds} seconds${scope}, received more`,
    { retryAfterSeconds: periodSeconds },
  );
}

/** Whether a request is within a limit. A limiter that fails lets requests pass: captions matter more than counting. */
async function isWithinLimit(limiter: RateLimit, key: string): Promise<boolean> {
  try {
    return (await limiter.limit({ key })).success;
  } catch (error) {
    log("warn", "the rate limit cannot be checked", { error: describeError(error) });
    return true;
  }
}
