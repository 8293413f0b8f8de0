import { byteOrderMark, csvRow } from "../../shared/csv.ts";
import type { CaptionedState, WallPhoto } from "./wall.ts";

/** An image element with the caption as its alternative text, ready to be pasted into a page. */
export function asHtml({ name }: Pick<WallPhoto, "name">, { result }: CaptionedState): string {
  const image = document.createElement("img");
  image.setAttribute("src", name);
  image.setAttribute("alt", result.caption);
  return image.outerHTML;
}

/** All captions as a table (RFC 4180), with a byte order mark, without which Excel takes it for Latin-1. */
export function asCsv(photos: readonly WallPhoto[]): string {
  const rows = photos.flatMap(({ name, state }) => (state.step === "captioned" ? [rowOf(name, state)] : []));
  const table = [Object.keys(rows[0] ?? {}), ...rows.map((row) => Object.values(row))];
  return `${byteOrderMark}${table.map((cells) => csvRow(cells, { lineEnd: "\r\n" })).join("")}`;
}

function rowOf(name: string, { result, isHit, elapsedMs }: CaptionedState): Record<string, string | number> {
  const { id, contentId = "", caption, confidence, candidates, image, model } = result;
  const others = candidates.slice(1).map((candidate) => candidate.caption);
  const { format, width, height, bytes } = image;
  return {
    ...{ file: name, caption, confidence, others: others.join(" | ") },
    ...{ source: isHit ? "cache" : "model", milliseconds: Math.round(elapsedMs) },
    ...{ format, width, height, bytes, id, contentId, model: model.id, revision: model.revision },
  };
}

/** Has the browser save a table as a file. */
export function download(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href)); // once the browser has taken it
}
