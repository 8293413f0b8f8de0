import type { FaultResult, LoadResult, SoakResults } from "./results.ts";
import { markdownTable } from "./tables.ts";

const faultColumns = [
  ...["", "what is done", "what was promised", "known: answered", "new: answered", "new: refused", "lost"],
  ...["recovery time", "kept"],
];

/** Formats the table of faults; without any, its heading alone, for rows that follow one by one. */
export function faultTable(results: readonly FaultResult[]): string {
  return markdownTable(faultColumns, results.map(faultCells));
}

/** Formats a fault's row. */
export function describeFault(result: FaultResult): string {
  return `| ${faultCells(result).join(" | ")} |`;
}

function faultCells({ name, about, promise, known, recoverySeconds, broken, ...result }: FaultResult): string[] {
  const lost = known.lost + result.new.lost;
  const cutOff = known.cutOff + result.new.cutOff;
  return [
    `\`${name}\``,
    about,
    promise,
    shareOf(known),
    shareOf(result.new),
    describeCodes(result.new.refused),
    cutOff === 0 ? `${lost}` : `${lost}, ${cutOff} cut off`,
    recoverySeconds === null ? "never" : `${recoverySeconds.toFixed(1)} s`,
    broken.length === 0 ? "yes" : "**no**",
  ];
}

function shareOf({ answered, sent }: FaultResult["known"]): string {
  return `${answered} of ${sent}`;
}

function describeCodes(refused: FaultResult["known"]["refused"]): string {
  return (
    Object.entries(refused)
      .map(([code, count]) => `${count} \`${code}\``)
      .join(", ") || "–"
  );
}

const loadColumns = "load, clients, seconds, captions a second, p50, p99, longest, from the cache, refused, lost".split(
  ", ",
);

/** Formats the table of loads; without any, its heading alone, for rows that follow one by one. */
export function loadTable(loads: readonly LoadResult[]): string {
  return markdownTable(loadColumns, loads.map(loadCells));
}

/** Formats a load's row. */
export function describeLoad(load: LoadResult): string {
  return `| ${loadCells(load).join(" | ")} |`;
}

function loadCells({ load, clients, seconds, captionsPerSecond, hits, refused, lost, ...ms }: LoadResult): string[] {
  return [
    load,
    String(clients),
    seconds.toFixed(0),
    captionsPerSecond.toFixed(1),
    ...[ms.p50Ms, ms.p99Ms, ms.longestMs].map((time) => `${time.toFixed(0)} ms`),
    `${(100 * hits).toFixed(0)} %`,
    describeCodes(refused),
    String(lost),
  ];
}

/** Processes whose memory is measured separately. */
export const sides = [
  { side: "edge", about: "workerd with the worker and what stands for Cloudflare's cache, KV and Durable Objects" },
  { side: "wrangler", about: "the program that runs workerd, which Cloudflare does not need" },
  { side: "service", about: "the service and its engine" },
] as const;

/** Formats the table of a soak. */
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

/** Explains the columns of that table. */
export const memoryLegend = sides.map(({ side, about }) => `${side}: ${about}`).join("; ");

function signed(mib: number): string {
  return `${mib < 0 ? "−" : "+"}${Math.abs(mib).toFixed(0)}`;
}
