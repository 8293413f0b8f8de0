import type { FaultResult } from "../../../scripts/docs/results.ts";
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
