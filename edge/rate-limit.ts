import type { Context } from "hono";
import ipaddr from "ipaddr.js";
import { CaptionError } from "../shared/errors.ts";
import type { EdgeEnv, Tier } from "./edge-env.ts";
import { describeError, log } from "./log.ts";

export interface Caller {
  tier: Tier;
  /** Requests with the same one are counted together. */
  limitKey: string;
}

/** Somebody without a key, known by address. */
export function publicCaller(c: Context<EdgeEnv>): Caller {
  return { tier: "public", limitKey: networkOf(c.req.header("CF-Connecting-IP") ?? "") };
}

/** An IPv6 customer has 2^64 addresses or more, so all of a /64 count as one. */
function networkOf(address: string): string {
  if (!ipaddr.IPv6.isValid(address)) return address;
  return ipaddr.IPv6.parse(address)
    .parts.slice(0, 4)
    .map((part) => part.toString(16))
    .join(":");
}

/**
 * Counts a request against its tier's limit and tells the limit (draft-ietf-httpapi-ratelimit-headers). The binding says
 * no more than yes or no, so `Retry-After` is its whole period. Throws `rate_limited`.
 */
export async function limitCaller(c: Context<EdgeEnv>, { tier, limitKey }: Caller): Promise<void> {
  const { limiter, limit, periodSeconds } = c.get("settings").tiers[tier];
  if (limiter !== undefined) {
    c.res.headers.set("RateLimit-Policy", `"${tier}";q=${limit};w=${periodSeconds}`); // reaches refusals, too
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

/** Counts a request against the limit of all callers without a key together. Throws `rate_limited`. */
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

/** A limiter that fails lets requests pass: captions matter more than counting. */
async function isWithinLimit(limiter: RateLimit, key: string): Promise<boolean> {
  try {
    return (await limiter.limit({ key })).success;
  } catch (error) {
    log("warn", "the rate limit cannot be checked", { error: describeError(error) });
    return true;
  }
}
