import type { Tally } from "./check-promises.ts";
import type { Outcome } from "./try-fault.ts";

/** The first lines of the table, which its rows follow as they come. */
export const heading = `| | what is done | what was promised | known: answered | new: answered | new: refused | lost | well again after | kept |
|---|---|---|---|---|---|---|---|---|`;

/** A fault's row. */
export function describeOutcome({ fault, known, recovery, broken, ...outcome }: Outcome): string {
  const lost = known.lost + outcome.new.lost;
  const cutOff = known.cutOff + outcome.new.cutOff;
  const cells = [
    `\`${fault.name}\``,
    fault.about,
    fault.promise,
    shareOf(known),
    shareOf(outcome.new),
    describeCodes(outcome.new.refused),
    cutOff === 0 ? `${lost}` : `${lost}, ${cutOff} cut off`,
    recovery === undefined ? "never" : `${recovery.toFixed(1)} s`,
    broken.length === 0 ? "yes" : "**no**",
  ];
  return `| ${cells.join(" | ")} |`;
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
