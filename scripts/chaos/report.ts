import { markdownTable } from "../docs/markdown-table.ts";
import type { FaultResult } from "../docs/results.ts";
import type { Tally } from "./check-promises.ts";
import type { Outcome } from "./try-fault.ts";

const columns = [
  ...["", "what is done", "what was promised", "known: answered", "new: answered", "new: refused", "lost"],
  ...["well again after", "kept"],
];

/** The table of faults: its heading alone without any, for rows that follow as they come. */
export function faultTable(results: readonly FaultResult[]): string {
  return markdownTable(columns, results.map(cellsOf));
}

/** A fault's row. */
export function describeResult(result: FaultResult): string {
  return `| ${cellsOf(result).join(" | ")} |`;
}

/** What of an outcome is shown in the table and recorded. */
export function summarizeOutcome({ fault, known, recovery, broken, ...outcome }: Outcome): FaultResult {
  const { name, about, promise } = fault;
  return { name, about, promise, known, new: outcome.new, recoverySeconds: recovery ?? null, broken };
}

function cellsOf({ name, about, promise, known, recoverySeconds, broken, ...result }: FaultResult): string[] {
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

/** What the table has no room for: what was seen besides, and which promises were broken. */
export function describeRest(outcomes: readonly Outcome[]): string {
  const lines = outcomes.flatMap(({ fault, notes, broken }) => [
    ...notes.map((note) => `- \`${fault.name}\`: ${note}`),
    ...broken.map((sentence) => `- **broken**, \`${fault.name}\`: ${sentence}`),
  ]);
  return lines.join("\n");
}

function shareOf({ answered, sent }: Tally): string {
  return `${answered} of ${sent}`;
}

function describeCodes(refused: Tally["refused"]): string {
  return (
    Object.entries(refused)
      .map(([code, count]) => `${count} \`${code}\``)
      .join(", ") || "–"
  );
}
