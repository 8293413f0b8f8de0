import { readFile, stat } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import Papa from "papaparse";
import { rearmFormulas } from "../shared/csv.ts";
import { terminalText } from "../shared/terminal-text.ts";
import { decodeText, type TextEncoding } from "./decode-text.ts";
import { describeKind } from "./regular-file.ts";

export interface CsvTable {
  columns: string[];
  rows: Record<string, string>[];
  encoding: TextEncoding;
}

/** Spreadsheets write the delimiter of their language. */
const delimiters = [",", ";", "\t"];

/**
 * Reads a table with a heading, as spreadsheets of any language save it; `-` is standard input. Throws a sentence for what is
 * not a table, lacks a column or is in an encoding that cannot be detected.
 */
export async function readCsv(path: string, { needs }: { needs: readonly string[] }): Promise<CsvTable> {
  const place = path === "-" ? "standard input" : terminalText(path);
  const bytes = path === "-" ? await buffer(process.stdin) : await readTable(path, place);
  const { text, encoding } = decodeText(bytes, { place });
  const { columns, values, quoteError } = parseTable(text, needs);
  if (!hasColumns(columns, needs)) {
    const found = columns.map(terminalText).join(", ") || "none";
    throw new Error(`${place}: expected the columns ${needs.join(", ")}, found ${found}`);
  }
  if (quoteError !== undefined) {
    throw new Error(`${place}: expected a CSV file: ${quoteError.message} in row ${(quoteError.row ?? 0) + 1}`);
  }
  const rowOf = (fields: readonly string[]) =>
    Object.fromEntries(columns.map((name, index) => [name, rearmFormulas(fields[index] ?? "")]));
  return { columns, rows: values.map(rowOf), encoding };
}

/** Reads a file or a pipe, but no device, which may have no end. */
async function readTable(path: string, place: string): Promise<Uint8Array> {
  const found = await stat(path);
  if (found.isDirectory() || found.isCharacterDevice() || found.isBlockDevice()) {
    throw new Error(`${place}: it is ${describeKind(found)}, expected a CSV file`);
  }
  return readFile(path);
}

/** Finds the delimiter by the heading: captions are full of commas. */
function parseTable(text: string, needs: readonly string[]) {
  const body = text.replace(/^sep=.\r?\n/i, ""); // a hint of and for Excel
  const headingBy = (delimiter: string) => parse(body, { delimiter, preview: 1 }).data[0] ?? [];
  const delimiter = needs.length === 0 ? undefined : delimiters.find((one) => hasColumns(headingBy(one), needs));
  const { data, errors } = parse(body, delimiter === undefined ? { delimitersToGuess: delimiters } : { delimiter });
  const [heading = [], ...values] = data;
  return { columns: heading.map(rearmFormulas), values, quoteError: errors.find(({ type }) => type === "Quotes") };
}

function parse(text: string, options: Papa.ParseConfig<string[]>): Papa.ParseResult<string[]> {
  return Papa.parse<string[]>(text, { skipEmptyLines: true, ...options });
}

function hasColumns(columns: readonly string[], needs: readonly string[]): boolean {
  return needs.every((name) => columns.includes(name));
}
