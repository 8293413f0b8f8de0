export type Row = readonly string[];

/** A table in GitHub's Markdown. */
export function markdownTable(heading: Row, rows: readonly Row[]): string {
  const line = (cells: Row) => `| ${cells.join(" | ")} |`;
  return [line(heading), `|${"---|".repeat(heading.length)}`, ...rows.map(line)].join("\n");
}
