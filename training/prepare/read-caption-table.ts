import Papa from "papaparse";
import { fromPathText } from "../../files/disk-path.ts";
import { rearmFormulas } from "../../shared/csv.ts";
import type { CaptionEntry } from "./caption-entry.ts";

/**
 * Accepted column names, in lower case: those of Kaggle's Flickr8k and Flickr30k, of Hugging Face and of edge-caption.
 */
const photoColumns = ["image", "image_name", "path", "file_name", "filename", "file", "photo"];
const captionColumns = ["caption", "comment", "text", "captions", "description", "sentence"];

/** Delimiters; Kaggle's `results.csv` of Flickr30k uses bars. */
const delimiters = [",", ";", "\t", "|"];

/** First line that Excel writes to name the delimiter. */
export const delimiterHint = /^sep=.\r?\n/i;

/** Whether a line is the heading of a table of photos and captions. */
export function isCaptionHeading(line: string): boolean {
  const columns = columnsOf(line);
  return columns.photo >= 0 && columns.caption >= 0;
}

/**
 * Yields the entries of a table with a heading: a photo and a caption per row. An unquoted caption in the last column
 * may contain the delimiter.
 */
export function* readCaptionTable(text: string, path: string): Generator<CaptionEntry> {
  const table = text.replace(delimiterHint, "");
  const [heading = ""] = table.split("\n", 1);
  const { delimiter, photo, caption, count } = columnsOf(heading);
  const { data, errors } = Papa.parse<string[]>(table, { delimiter, quoteChar: delimiter === "|" ? "\0" : '"' });
  const [error] = errors.filter(({ type }) => type === "Quotes");
  if (error !== undefined) {
    throw new Error(`${path}, row ${(error.row ?? 0) + 1}: expected a closing quote, found none: ${error.message}`);
  }
  for (const [index, fields] of data.entries()) {
    if (index === 0 || fields.every((field) => field.trim() === "")) continue;
    const place = `${path}, row ${index + 1}`;
    const name = rearmFormulas(fields[photo]?.trim() ?? "");
    const words = (caption === count - 1 ? fields.slice(caption).join(delimiter) : fields[caption])?.trim();
    const written = words === undefined || words === "" ? glued(fields, { caption }) : words;
    if (name === "") throw new Error(`${place}: expected the path of a photo, found none`);
    yield {
      names: [...new Set([name, fromPathText(name)])],
      captions: written === "" ? [] : [rearmFormulas(written)],
      place,
    };
  }
}

/** Recovers a caption that is glued to its number: Flickr30k's `results.csv` has a row without the bar between them. */
function glued(fields: readonly string[], { caption }: { caption: number }): string {
  return /^\s*\d+\s+(?<text>\S.*)$/s.exec(fields[caption - 1] ?? "")?.groups?.text?.trim() ?? "";
}

interface Columns {
  delimiter: string;
  photo: number;
  caption: number;
  count: number;
}

function columnsOf(heading: string): Columns {
  const found = delimiters.map((delimiter): Columns => {
    const names = (Papa.parse<string[]>(heading.trim(), { delimiter }).data[0] ?? []).map((name) =>
      name.trim().toLowerCase(),
    );
    const first = (candidates: readonly string[]) => names.findIndex((name) => candidates.includes(name));
    return { delimiter, photo: first(photoColumns), caption: first(captionColumns), count: names.length };
  });
  const usable = found.find(({ photo, caption }) => photo >= 0 && caption >= 0);
  return usable ?? { delimiter: ",", photo: -1, caption: -1, count: 0 };
}
