import { readFile } from "node:fs/promises";
import Papa from "papaparse";

export interface CsvTable {
  columns: string[];
  rows: Record<string, string>[];
}

/** Reads a CSV file with a heading, as spreadsheets of any language save it. Throws a sentence where it is none or lacks a column. */
export async function readCsv(path: string, { needs }: { needs: readonly string[] }): Promise<CsvTable> {
  const text = (await readFile(path, "utf8")).replace(/^\uFEFF/, "");
  const delimitersToGuess = [",", ";", "\t"]; // spreadsheets write what their language uses
  const { data, errors } = Papa.parse<string[]>(text, { delimitersToGuess, skipEmptyLines: true });
  const [columns = [], ...values] = data;
  const missing = needs.filter((name) => !columns.includes(name));
  if (missing.length > 0) {
    throw new Error(`${path}: expected the columns ${needs.join(", ")}, found ${columns.join(", ") || "none"}`);
  }
  const [error] = errors.filter(({ type }) => type === "Quotes");
  if (error !== undefined) {
    throw new Error(`${path}: expected a CSV file: ${error.message} in row ${(error.row ?? 0) + 1}`);
  }
  return {
    columns,
    rows: values.map((fields) => Object.fromEntries(columns.map((name, index) => [name, fields[index] ?? ""]))),
  };
}
