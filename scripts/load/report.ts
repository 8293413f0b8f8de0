import type { Firing } from "./fire.ts";
import { growthOf, type MemorySample, sides } from "./memory.ts";

/** The first lines of the table, which its rows follow as they come. */
export const heading = `| load | clients | seconds | captions a second | p50 | p99 | longest | from the cache | refused | lost |
|---|---|---|---|---|---|---|---|---|---|`;

/** A load's row. */
export function describeFiring({ shape, seconds, answered, hits, refused, lost, latencyMs }: Firing): string {
  const { p50, p99, max } = latencyMs;
  const cells = [
    `${shape.name}: ${shape.about}`,
    shape.connections,
    seconds.toFixed(0),
    (answered / seconds).toFixed(1),
    ...[p50, p99, max].map((ms) => `${ms.toFixed(0)} ms`),
    `${((100 * hits) / Math.max(1, answered)).toFixed(0)} %`,
    Object.entries(refused)
      .map(([code, count]) => `${count} \`${code}\``)
      .join(", ") || "–",
    lost.length,
  ];
  return `| ${cells.join(" | ")} |`;
}

/** Memory at the end of each tenth of the time. */
export function describeMemory(samples: readonly MemorySample[]): string {
  const tenths = Array.from({ length: 10 }, (_, tenth) => Math.ceil(((tenth + 1) * samples.length) / 10) - 1);
  const rows = tenths.flatMap((index) => {
    const sample = samples[index];
    return sample === undefined
      ? []
      : [[sample.minute.toFixed(1), ...sides.map(({ side }) => sample[side].toFixed(0))]];
  });
  const growth = sides.map(({ side }) => signed(growthOf(samples, side)));
  return [
    ["minute", ...sides.map(({ side }) => `${side}, MiB`)],
    ["", ...sides].map(() => "---"),
    ...rows,
    ["last fifth against the second", ...growth],
  ]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n")
    .concat(`\n\n${sides.map(({ side, about }) => `${side}: ${about}`).join("; ")}`);
}

function signed(mib: number): string {
  return `${mib < 0 ? "−" : "+"}${Math.abs(mib).toFixed(0)}`;
}
