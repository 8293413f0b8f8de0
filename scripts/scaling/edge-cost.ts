/** A month of 365/12 days. */
export const monthSeconds = (365 / 12) * 24 * 60 * 60;

const million = 1e6;

/**
 * Cloudflare's Workers Paid plan in US dollars, as its pages on Workers, KV, Durable Objects and Workers Logs said in October 2026.
 * `included` a month, then `price` for each million.
 */
const paidPlan = {
  base: 5,
  requests: { included: 10 * million, price: 0.3 },
  cpuMs: { included: 30 * million, price: 0.02 },
  kvReads: { included: 10 * million, price: 0.5 },
  kvWrites: { included: 1 * million, price: 5 },
  objectRequests: { included: 1 * million, price: 0.15 },
  /** Durable Objects' memory, in gigabytes times seconds. */
  objectGbSeconds: { included: 400_000, price: 12.5 },
  logEvents: { included: 20 * million, price: 0.6 },
  /** Here in gigabytes and dollars for each. */
  kvStored: { included: 1, price: 0.5 },
} as const;

const meters = [
  "requests",
  "cpuMs",
  "kvReads",
  "kvWrites",
  "objectRequests",
  "objectGbSeconds",
  "logEvents",
  "kvStored",
] as const satisfies readonly (keyof typeof paidPlan)[];

type Meter = (typeof meters)[number];

/** What a day of the free plan has room for; what comes beyond fails. */
const freePlanDay = { requests: 100_000, kvReads: 100_000, kvWrites: 1000, objectRequests: 100_000 } as const;

/** What one request takes of Cloudflare. */
const kvWritesOfMiss = 2; // the caption, and the way to it from the file's id
const objectRequestsOfMiss = 5; // a flight, and twice the tombstones of both ids
const logEventsOfRequest = 2; // ours, and Cloudflare's own of the invocation
const storedKbOfMiss = 1.5;
const flightGb = 0.128;

interface EdgeLoad {
  requestsPerSecond: number;
  hitRate: number;
  /** CPU time of a request at the edge. */
  cpuMs: number;
  /** How long a flight lives: its photo's time in the service. */
  flightMs: number;
  ttlDays: number;
}

/** What a month takes, by what Cloudflare bills. Reads are an upper bound: what a data centre has near by is not read from KV. */
export function monthAtEdge({ requestsPerSecond, hitRate, cpuMs, flightMs, ttlDays }: EdgeLoad): Record<Meter, number> {
  const requests = requestsPerSecond * monthSeconds;
  const misses = requests * (1 - hitRate);
  return {
    requests,
    cpuMs: requests * cpuMs,
    kvReads: requests,
    kvWrites: misses * kvWritesOfMiss,
    objectRequests: misses * objectRequestsOfMiss,
    objectGbSeconds: (misses * flightMs * flightGb) / 1000,
    logEvents: requests * logEventsOfRequest,
    kvStored: (misses * Math.min(1, (ttlDays * 86_400) / monthSeconds) * storedKbOfMiss) / million,
  };
}

/** Dollars of a month on the paid plan, each meter above what is included. */
export function monthlyPrice(month: Record<Meter, number>): {
  total: number;
  meters: { meter: Meter; dollars: number }[];
} {
  const priced = meters.map((meter) => {
    const { included, price } = paidPlan[meter];
    const beyond = Math.max(0, month[meter] - included);
    return { meter, dollars: (beyond * price) / (meter === "kvStored" ? 1 : million) };
  });
  const total = priced.reduce((sum: number, { dollars }) => sum + dollars, paidPlan.base);
  return { total, meters: priced };
}

/** Lists the limits of the free plan that a day of this load exceeds. */
export function freePlanExceeded(month: Record<Meter, number>): (keyof typeof freePlanDay)[] {
  const days = monthSeconds / 86_400;
  return (["requests", "kvReads", "kvWrites", "objectRequests"] as const).filter(
    (meter) => month[meter] / days > freePlanDay[meter],
  );
}
