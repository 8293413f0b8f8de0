import pidusage from "pidusage";
import type { sides } from "../../../scripts/docs/endurance-tables.ts";
import type { LocalServers } from "../../../scripts/start/local-servers.ts";
import { descendantsOf, programOf } from "../../support/process-table.ts";

export type Side = (typeof sides)[number]["side"];

/** Resident MiB of each side. */
export type MemorySample = Record<Side, number> & { minute: number };

/** Allowance for a pending garbage collection. */
const slackMiB = 64;
/** The shortest run to judge: in less time, first loads look like growth. */
const leastMinutes = 5;

/** Measures the memory of each side now. */
export async function sampleMemory({ pids }: Pick<LocalServers, "pids">): Promise<Record<Side, number>> {
  const ofWrangler = [pids.edge, ...descendantsOf(pids.edge)];
  const ofService = [pids.service, ...descendantsOf(pids.service)];
  const usages = await pidusage([...ofWrangler, ...ofService]);
  const [workerd] = ofWrangler
    .filter((pid) => programOf(pid) === "workerd")
    .sort((one, other) => (usages[other]?.memory ?? 0) - (usages[one]?.memory ?? 0));
  const sumOf = (chosen: readonly number[]) =>
    chosen.reduce((sum, pid) => sum + (usages[pid]?.memory ?? 0), 0) / 2 ** 20;
  return {
    edge: sumOf(workerd === undefined ? [] : [workerd]),
    wrangler: sumOf(ofWrangler.filter((pid) => pid !== workerd)),
    service: sumOf(ofService),
  };
}

/**
 * Computes by how many MiB memory has grown from the second fifth of the time to the last: medians, since single samples
 * catch collections. What is loaded once falls into the first fifth.
 */
export function growthOf(samples: readonly MemorySample[], side: Side): number {
  const medianOf = (fifth: number) => {
    const part = samples.slice((fifth * samples.length) / 5, ((fifth + 1) * samples.length) / 5);
    const values = part.map((sample) => sample[side]).toSorted((one, other) => one - other);
    return values[values.length >> 1] ?? Number.NaN;
  };
  return medianOf(4) - medianOf(1);
}

/**
 * Describes excessive growth, a sentence each; nothing if the run was too short. The service alone is judged:
 * workerd runs stand-ins for Cloudflare's cache, KV and Durable Objects here, too, so its memory cannot tell what the worker keeps.
 */
export function memoryFaults(samples: readonly MemorySample[]): string[] {
  const [first, last] = [samples[0]?.minute ?? 0, samples.at(-1)?.minute ?? 0];
  if (last - first < 0.9 * leastMinutes) return [];
  const growth = growthOf(samples, "service");
  return growth <= slackMiB
    ? []
    : [`soak: memory of the service has grown by ${growth.toFixed(0)} MiB, above ${slackMiB}`];
}
