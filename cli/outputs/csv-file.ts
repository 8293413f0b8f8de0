import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { toPathText } from "../../files/disk-path.ts";
import type { FileReplacer } from "../../files/file-replacer.ts";
import { type CsvTable, readCsv } from "../../files/read-csv.ts";
import { byteOrderMark, csvRow } from "../../shared/csv.ts";
import type { StateFile } from "../state/state-file.ts";
import { photoKeyOf } from "../state/state-index.ts";
import type { CaptionToList, Listing } from "./output.ts";
import { type OutputStream, openOutputStream } from "./output-stream.ts";

/** The columns of the table. `id` is the content id if there is one. */
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

interface CsvSettings {
  files: FileReplacer;
  state: Pick<StateFile, "hasSaid">;
  /** Whether to replace also what a person wrote. */
  overwrite: boolean;
  /** Ends the wait for the reader of a pipe. */
  signal: AbortSignal;
}

/**
 * Opens the table for `--csv`, a row per photo. Rows that are there already keep their place, and what a person wrote into one
 * stays. The file is replaced at the end of the run.
 */
export async function openCsvFile(path: string, { files, state, overwrite, signal }: CsvSettings): Promise<Listing> {
  const stream = await openOutputStream(path, { signal });
  if (stream !== undefined) return streamedTable(stream);
  const { columns, rows }: Pick<CsvTable, "columns" | "rows"> = existsSync(path)
    ? await readCsv(path, { needs: csvColumns })
    : { columns: [...csvColumns], rows: [] };
  const byPath = new Map(rows.map((row) => [row.path, row]));
  let isChanged = rows.length === 0;
  const isPersons = (row: Row, photo: CaptionToList) =>
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
      const text = `${byteOrderMark}${csvRow(columns)}${csvRows(columns, [...byPath.values()])}`;
      await files.replace(path, (temporary) => writeFile(temporary, text));
    },
  };
}

/** Writes the same rows as they come, into a pipe or, for `--csv -`, to standard output. */
export function streamedTable(stream: OutputStream): Listing {
  let isBegun = false;
  const print = async (rows: readonly Row[]) => {
    const mark = stream.isFile ? byteOrderMark : "";
    const heading = isBegun ? "" : `${mark}${csvRow(csvColumns)}`;
    isBegun = true;
    await stream.append(`${heading}${csvRows(csvColumns, rows)}`);
  };
  return {
    add: (photo) => print([csvRowOf(photo)]),
    async end() {
      if (!isBegun) await print([]);
      await stream.close();
    },
  };
}

function csvRows(columns: readonly string[], rows: readonly Row[]): string {
  return rows.map((row) => csvRow(columns.map((name) => row[name] ?? ""))).join("");
}

function csvRowOf(photo: CaptionToList): Row & { path: string } {
  const { path, caption, isUnsure, result } = photo;
  const { model, options } = result;
  return {
    path: toPathText(path),
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
