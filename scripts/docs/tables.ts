const region = /^<!-- table: (?<name>[\w-]+) -->\n(?<body>.*?)^<!-- \/table -->$/gms;
const marker = /^<!-- (?:table: .*|\/table) -->$/gm;

/** The cells of a row. */
export type Row = readonly string[];

/** Formats a table in GitHub's Markdown. */
export function markdownTable(heading: Row, rows: readonly Row[]): string {
  const line = (cells: Row) => `| ${cells.join(" | ")} |`;
  return [line(heading), `|${"---|".repeat(heading.length)}`, ...rows.map(line)].join("\n");
}

/** The tables of a page, by name. */
export type Tables = ReadonlyMap<string, string>;

/**
 * Puts the tables between their marks, `<!-- table: name -->` and `<!-- /table -->`, each on a line of its own. Throws a
 * sentence if a mark has no partner or a name no table.
 */
export function fillTables(text: string, tables: Tables): string {
  const marks = text.match(marker)?.length ?? 0;
  const regions = [...text.matchAll(region)];
  if (marks !== 2 * regions.length || regions.some((found) => marker.test(found.groups?.body ?? ""))) {
    throw new Error("expected each <!-- table: name --> to be followed by its <!-- /table -->");
  }
  return text.replace(region, (_, name: string) => {
    const table = tables.get(name);
    if (table === undefined)
      throw new Error(`expected one of the tables ${[...tables.keys()].join(", ")}, found ${name}`);
    return `<!-- table: ${name} -->\n\n${table}\n\n<!-- /table -->`;
  });
}

/** Lists the tables whose text differs between two versions of a page. */
export function changedTables(before: string, after: string): string[] {
  const bodies = [...before.matchAll(region)].map(({ groups }) => groups?.body);
  return [...after.matchAll(region)]
    .filter(({ groups }, index) => groups?.body !== bodies[index])
    .map(({ groups }) => groups?.name ?? "");
}
