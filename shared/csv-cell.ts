/**
 * The character before a position in a cell at which a spreadsheet would read a formula (OWASP, "CSV injection"): at the
 * cell's start and, in spreadsheets of many languages, after a semicolon or a tab.
 */
export const formulaOpening = /([;\t\r\n])(?=[\s']*[=+\-@\uFF0B\uFF0D\uFF1D\uFF20]|'*[\t\r])/gu;
const disarmedOpening = /([;\t\r\n])'(?=[\s']*[=+\-@\uFF0B\uFF0D\uFF1D\uFF20]|'*[\t\r])/gu;

/** Writes a text as a cell that no spreadsheet takes for a formula, with an apostrophe before what would begin one. */
export function disarmFormulas(text: string): string {
  return replaceOpenings(text, formulaOpening, "$1'");
}

/** Undoes `disarmFormulas`, and the same precaution of other programs. */
export function rearmFormulas(cell: string): string {
  return replaceOpenings(cell, disarmedOpening, "$1");
}

/** Replaces formula openings. The text's start counts as one, like the start of a line. */
function replaceOpenings(text: string, opening: RegExp, replacement: string): string {
  return `\n${text}`.replace(opening, replacement).slice(1);
}
