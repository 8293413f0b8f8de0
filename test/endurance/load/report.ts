import type { sides } from "../../../scripts/docs/endurance-tables.ts";
import type { LoadResult, SoakResults } from "../../../scripts/docs/results.ts";
import type { LoadRun } from "./load-generator.ts";
import { growthOf, type MemorySample } from "./memory.ts";

/** Codes that may be answered instead of a caption, with `Retry-After`, under too much load. */
const busyCodes: readonly string[] = ["overloaded", "rate_limited"];

/** Summarizes a load for the table and the record. */
export function summarizeLoad({ shape, seconds, answered, hits, refused, lost, latencyMs }: LoadRun): LoadResult {
  return {
    load: `${shape.name}: ${shape.about}`,
    clients: shape.connections,
    seconds,
    captionsPerSecond: answered / seconds,
    p50Ms: latencyMs.p50,
    p99Ms: latencyMs.p99,
    longestMs: latencyMs.max,
    hits: hits / Math.max(1, answered),
    refused,
    lost: lost.length,
  };
}

/** Summarizes memory: at the end of each tenth of the time, and its growth. */
export function summarizeMemory(samples: readonly MemorySample[]): Pick<SoakResults, "tenths" | "growth"> {
  const ends = Array.from({ length: 10 }, (_, tenth) => Math.ceil(((tenth + 1) * samples.length) / 10) - 1);
  const growthOfSide = (side: (typeof sides)[number]["side"]) => growthOf(samples, side);
  return {
    tenths: ends.map((end) => samples[end]).filter((sample) => sample !== undefined),
    growth: { edge: growthOfSide("edge"), wrangler: growthOfSide("wrangler"), service: growthOfSide("service") },
  };
}

/** Describes what went wrong, a sentence each. */
export function faultsOf({ shape, answered, hits, refused, lost }: LoadRun): string[] {
  const faults: string[] = [];
  const wrongCodes = Object.keys(refused).filter((code) => !busyCodes.includes(code));
  if (answered === 0) faults.push("nothing was answered");
  if (lost.length > 0) faults.push(`${lost.length} lost: ${[...new Set(lost)].join("; ")}`);
  if (wrongCodes.length > 0) faults.push(`refused with ${wrongCodes.join(", ")}`);
  if (shape.isTooMuch !== true && Object.keys(refused).length > 0) faults.push("refused what is not too much");
  if (!shape.round.includes("new") && hits < answered)
    faults.push(`${answered - hits} known photos not from the cache`);
  return faults.map((fault) => `${shape.name}: ${fault}`);
}
