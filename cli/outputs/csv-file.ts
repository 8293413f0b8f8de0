import { existsSync, fstatSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import Papa from "papaparse";
import { disarmFormulas } from "../../shared/csv-cell.ts";
import { terminalLines } from "../../shared/terminal-text.ts";
import type { CaptionState } from "../caption-state.ts";
import { type CaptionedPhoto, photoKeyOf } from "../captioned-photo.ts";
import type { FileReplacer } from "../file-replacer.ts";
import { type CsvTable, readCsv } from "../read-csv.ts";
import type { Listing } from "./output.ts";

/** Of a row. `id` is the content id where there is one. */
const csvColumns = [
  "path",
  "caption",
  "confidence",
  "unsure",
  "id",
  "model",
  "revision",
  "beam",
  "candidates",
] as const;

type Row = Record<string, string>;

/** Without it Excel takes UTF-8 for the code page of the country. */
const byteOrderMark = "\uFEFF";

interface CsvSettings {
  files: FileReplacer;
  state: Pick<CaptionState, "hasSaid">;
  /** Also what a person wrote. */
  overwrite: boolean;
}

/**
 * `--csv`: a row a photo. Rows that are there already keep their place, and what a person wrote into one stays. The file
 * takes its new form at the end of the run.
 */
export async function openCsvFile(path: string, { files, state, overwrite }: CsvSettings): Promise<Listing> {
  const { columns, rows }: Pick<CsvTable, "columns" | "rows"> = existsSync(path)
    ? await readCsv(path, { needs: csvColumns })
    : { columns: [...csvColumns], rows: [] };
  const byPath = new Map(rows.map((row) => [row.path, row]));
  let isChanged = rows.length === 0;
  const isPersons = (row: Row, photo: CaptionedPhoto) =>
    row.id === photoKeyOf(photo.result) && !state.hasSaid(photo.result, row.caption ?? "");
  return {
    async add(photo) {
      const row = csvRowOf(photo);
      const there = byPath.get(row.path);
      if (there !== undefined && (isSameCaption(there, row) || (!overwrite && isPersons(there, photo)))) return;
      byPath.set(row.path, { ...there, ...row });
      isChanged = true;
    },
    async end() {
      if (!isChanged) return;
      const text = csvText(columns, [...byPath.values()]);
      await files.replace(path, (temporary) => writeFile(temporary, `${byteOrderMark}${text}`));
    },
  };
}

/** `--csv -`: the same rows on standard output, as they come. */
export function printedTable(): Listing {
  let isBegun = false;
  const print = (rows: readonly Row[]) => {
    const text = csvText(csvColumns, rows);
    const fresh = isBegun ? text.slice(csvText(csvColumns, []).length) : text;
    const isForExcel = !isBegun && fstatSync(process.stdout.fd).isFile();
    process.stdout.write(process.stdout.isTTY ? terminalLines(fresh) : `${isForExcel ? byteOrderMark : ""}${fresh}`);
    isBegun = true;
  };
  return {
    async add(photo) {
      print([csvRowOf(photo)]);
    },
    async end() {
      if (!isBegun) print([]);
    },
  };
}

function csvText(columns: readonly string[], rows: readonly Row[]): string {
  const data = rows.map((row) => columns.map((name) => disarmFormulas(row[name] ?? "")));
  return `${Papa.unparse({ fields: columns.map(disarmFormulas), data }, { newline: "\n" })}\n`;
}

function csvRowOf(photo: CaptionedPhoto): Row & { path: string } {
  const { path, caption, isUnsure, result } = photo;
  const { model, options } = result;
  return {
    path,
    caption,
    confidence: String(result.confidence),
    unsure: isUnsure ? "yes" : "",
    id: photoKeyOf(result),
    model: model.id,
    revision: model.revision,
    beam: String(options.beam),
    candidates: String(options.candidates),
  };
}

function isSameCaption(one: Row, other: Row): boolean {
  return csvColumns.every((name) => one[name] === other[name]);
}
