import { phases, type Stay } from "./measure.ts";

/** In Markdown, milliseconds. */
export function phaseTable(stays: readonly Stay[]): string {
  const rows = stays.map(({ name, ms }) => [name, ...phases.map((phase) => ms[phase].toFixed(1))]);
  return [["photo", ...phases.map((phase) => `${phase}, ms`)], ["---", ...phases.map(() => "---")], ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}
