import type { FaultResult } from "../../../scripts/docs/results.ts";
import { faults } from "./faults.ts";
import type { Outcome } from "./try-fault.ts";

/** What of an outcome is shown in the table and recorded. */
export function summarizeOutcome({ fault, known, recovery, broken, ...outcome }: Outcome): FaultResult {
  const { name, about, promise } = fault;
  return { name, about, promise, known, new: outcome.new, recoverySeconds: recovery ?? null, broken };
}

/** What the table has no room for: what was seen besides, and which promises were broken. */
export function describeRest(outcomes: readonly Outcome[]): string {
  const lines = outcomes.flatMap(({ fault, notes, broken }) => [
    ...notes.map((note) => `- \`${fault.name}\`: ${note}`),
    ...broken.map((sentence) => `- **broken**, \`${fault.name}\`: ${sentence}`),
  ]);
  return lines.join("\n");
}

/** Returns the first row of each fault, in the order in which faults are tried; what is no fault any more has no row. */
export function rowsInOrder(rows: readonly FaultResult[]): FaultResult[] {
  return faults.flatMap(({ name }) => rows.find((row) => row.name === name) ?? []);
}
