import type { sides } from "../../../scripts/docs/endurance-tables.ts";
import type { LoadResult, SoakResults } from "../../../scripts/docs/results.ts";
import type { Firing } from "./fire.ts";
import { growthOf, type MemorySample } from "./memory.ts";

/** The figures of a load that are shown and recorded. */
export function summarizeFiring({ shape, seconds, answered, hits, refused, lost, latencyMs }: Firing): LoadResult {
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

/** Memory at the end of each tenth of the time, and by how much it has grown. */
export function summarizeMemory(samples: readonly MemorySample[]): Pick<SoakResults, "tenths" | "growth"> {
  const ends = Array.from({ length: 10 }, (_, tenth) => Math.ceil(((tenth + 1) * samples.length) / 10) - 1);
  const growthOfSide = (side: (typeof sides)[number]["side"]) => growthOf(samples, side);
  return {
    tenths: ends.map((end) => samples[end]).filter((sample) => sample !== undefined),
    growth: { edge: growthOfSide("edge"), wrangler: growthOfSide("wrangler"), service: growthOfSide("service") },
  };
}
