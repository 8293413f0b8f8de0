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
 * Counts a request against its tier's limit and sends the limit (draft-ietf-httpapi-ratelimit-headers). The binding only
 * says yes or no, so `Retry-After` is its whole period. Throws `rate_limited`.
 */
export async function limitCaller(c: Context<EdgeEnv>, { tier, limitKey }: Caller): Promise<void> {
  const { limiter, limit, periodSeconds } = c.get("settings").tiers[tier];
  if (limiter !== undefined) {
    c.res.headers.set("RateLimit-Policy", `"${tier}";q=${limit};w=${periodSeconds}`); // set on refusals too
    if (!(await isWithinLimit(limiter, limitKey))) {
      throw new CaptionError(
        "rate_limited",
        `expected at most ${limit} requests in ${periodSeconds} seconds (${tier}), received more`,
        { retryAfterSeconds: periodSeconds },
      );
    }
  }
  if (tier === "public") await limitPublic(c);
}

/** Counts a request against the common limit of all callers without a key. Throws `rate_limited`. */
async function limitPublic(c: Context<EdgeEnv>): Promise<void> {
  const { limiter, limit, periodSeconds } = c.get("settings").overall;
  if (limiter === undefined) return;
  c.res.headers.append("RateLimit-Policy", `"overall";q=${limit};w=${periodSeconds}`);
  if (await isWithinLimit(limiter, "public")) return;
  throw new CaptionError(
    "rate_limited",
    `expected at most ${limit} requests in ${periodSeconds} seconds from all callers without a key, received more`,
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
