import { markdownTable } from "../docs/markdown-table.ts";
import type { LoadResult, SoakResults } from "../docs/results.ts";
import type { Firing } from "./fire.ts";
import { growthOf, type MemorySample, sides } from "./memory.ts";

const columns = "load, clients, seconds, captions a second, p50, p99, longest, from the cache, refused, lost".split(
  ", ",
);

/** The table of loads: its heading alone without any, for rows that follow as they come. */
export function loadTable(loads: readonly LoadResult[]): string {
  return markdownTable(columns, loads.map(cellsOf));
}

/** A load's row. */
export function describeLoad(load: LoadResult): string {
  return `| ${cellsOf(load).join(" | ")} |`;
}

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

function cellsOf({ load, clients, seconds, captionsPerSecond, hits, refused, lost, ...ms }: LoadResult): string[] {
  return [
    load,
    String(clients),
    seconds.toFixed(0),
    captionsPerSecond.toFixed(1),
    ...[ms.p50Ms, ms.p99Ms, ms.longestMs].map((time) => `${time.toFixed(0)} ms`),
    `${(100 * hits).toFixed(0)} %`,
    Object.entries(refused)
      .map(([code, count]) => `${count} \`${code}\``)
      .join(", ") || "–",
    String(lost),
  ];
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

export function memoryTable({ tenths, growth }: Pick<SoakResults, "tenths" | "growth">): string {
  const names = sides.map(({ side }) => side);
  return markdownTable(
    ["minute", ...names.map((side) => `${side}, MiB`)],
    [
      ...tenths.map((sample) => [sample.minute.toFixed(1), ...names.map((side) => sample[side].toFixed(0))]),
      ["last fifth against the second", ...names.map((side) => signed(growth[side]))],
    ],
  );
}

/** What the columns of that table are. */
export const memoryLegend = sides.map(({ side, about }) => `${side}: ${about}`).join("; ");

function signed(mib: number): string {
  return `${mib < 0 ? "−" : "+"}${Math.abs(mib).toFixed(0)}`;
}
