/**
 * What stands before a place in a cell at which a spreadsheet would begin to read a formula (OWASP, "CSV injection"). A cell
 * begins at its start, and in spreadsheets of many languages also behind a semicolon or a tab.
 */
export const formulaOpening = /([;\t\r\n])(?=[\s']*[=+\-@\uFF0B\uFF0D\uFF1D\uFF20]|'*[\t\r])/gu;
const disarmedOpening = /([;\t\r\n])'(?=[\s']*[=+\-@\uFF0B\uFF0D\uFF1D\uFF20]|'*[\t\r])/gu;

/** A text as a cell that no spreadsheet takes for a formula: an apostrophe stands before what would begin one. */
export function disarmFormulas(text: string): string {
  return replaceOpenings(text, formulaOpening, "$1'");
}

/** Undoes `disarmFormulas`, and what other programs that write tables do against formulas. */
export function rearmFormulas(cell: string): string {
  return replaceOpenings(cell, disarmedOpening, "$1");
}

/** The start counts as what stands behind the end of a line. */
function replaceOpenings(text: string, opening: RegExp, replacement: string): string {
  return `\n${text}`.replace(opening, replacement).slice(1);
}
