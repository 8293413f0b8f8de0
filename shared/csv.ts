/** Without it Excel takes UTF-8 for the code page of the country. */
export const byteOrderMark = "\uFEFF";

/**
 * The places in a cell where a spreadsheet would begin to read a formula (OWASP, "CSV injection"): its start, and in
 * spreadsheets of many languages also after a semicolon or a tab.
 */
const formulaOpening = /([;\t\r\n])(?=[\s']*[=+\-@\uFF0B\uFF0D\uFF1D\uFF20]|'*[\t\r])/gu;
const disarmedOpening = /([;\t\r\n])'(?=[\s']*[=+\-@\uFF0B\uFF0D\uFF1D\uFF20]|'*[\t\r])/gu;

/** Cells that RFC 4180 quotes, and those whose spaces or mark at an end some readers drop. */
const needsQuotes = /[",\r\n\uFEFF]|^ | $/;

/** Writes a row of a table (RFC 4180) with its end of line. No spreadsheet takes one of its texts for a formula. */
export function csvRow(cells: readonly (string | number)[], { lineEnd = "\n" }: { lineEnd?: string } = {}): string {
  const written = cells.map((cell) => (typeof cell === "number" ? String(cell) : quoteCell(disarmFormulas(cell))));
  return `${written.join(",")}${lineEnd}`;
}

/** Turns a text into a cell that no spreadsheet takes for a formula: an apostrophe stands before what would begin one. */
export function disarmFormulas(text: string): string {
  return replaceOpenings(text, formulaOpening, "$1'");
}

/** Undoes `disarmFormulas`, and what other programs that write tables do against formulas. */
export function rearmFormulas(cell: string): string {
  return replaceOpenings(cell, disarmedOpening, "$1");
}

function quoteCell(cell: string): string {
  return needsQuotes.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** The start of a cell counts as the place after an end of line. */
function replaceOpenings(text: string, opening: RegExp, replacement: string): string {
  return `\n${text}`.replace(opening, replacement).slice(1);
}
