import { monthAtEdge, monthlyPrice } from "../scaling/edge-cost.ts";
import type { EdgeConfig, Need } from "./look.ts";

/** Of a request at the edge and of a photo in the service, as in docs/deploy.md. */
const cpuMs = 5;
const flightMs = 100;
const ttlDays = 30;

/** Who may call a deployment, how often, and what that costs at most. */
export function describeCallers(config: EdgeConfig): Need[] {
  const access = String(config.vars.ACCESS ?? "public");
  const keys: Need = { name: "keys", state: "there", words: `${describeKeys(config)}; ACCESS is ${access}` };
  if (access === "keys") return [keys];
  const each = describeLimit(config, "PUBLIC_LIMIT");
  const anybody: Need = {
    name: "public",
    state: "noted",
    words: `anybody may call, ${each ?? "without limit"} from one address; ACCESS = "keys" asks for keys`,
  };
  return [...(access === "both" ? [keys] : []), anybody, overallNeed(config)];
}

function describeKeys(config: EdgeConfig): string {
  const limits = ["STANDARD_LIMIT", "HIGH_LIMIT"].map((name) => describeLimit(config, name) ?? "without limit");
  return `each may call ${limits.join(", or ")}, by its tier`;
}

/** The limit of all addresses together; what it lets through in a month if every request were a new photo. */
function overallNeed(config: EdgeConfig): Need {
  const name = "public, together";
  const overall = limitOf(config, "OVERALL_LIMIT");
  if (overall === undefined) {
    const words = "without limit: bind OVERALL_LIMIT in wrangler.toml, or whoever has many addresses spends your money";
    return { name, state: "noted", words };
  }
  const requestsPerSecond = overall.limit / overall.period;
  const month = monthAtEdge({ requestsPerSecond, hitRate: 0, cpuMs, flightMs, ttlDays });
  const dollars = Math.ceil(monthlyPrice(month).total);
  const photos = `${Number(requestsPerSecond.toFixed(1))} photos a second for the services and ${dollars} dollars a month at Cloudflare`;
  const words = `${overall.limit} in ${overall.period} s from all addresses, in each data centre: at most ${photos}`;
  return { name, state: "noted", words };
}

function describeLimit(config: EdgeConfig, name: string): string | undefined {
  const limit = limitOf(config, name);
  return limit && `${limit.limit} times in ${limit.period} s`;
}

function limitOf({ ratelimits }: EdgeConfig, name: string): { limit: number; period: number } | undefined {
  return ratelimits.find((limit) => limit.name === name)?.simple;
}
