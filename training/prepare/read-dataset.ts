import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { decodeText, encodingByMark } from "../../files/decode-text.ts";
import { openInput } from "../../files/regular-file.ts";
import type { Dataset } from "../dataset.ts";
import { collectPhotos } from "./caption-entry.ts";
import { delimiterHint, isCaptionHeading, readCaptionTable } from "./read-caption-table.ts";
import { readFlickr8k, tokenFile } from "./read-flickr8k.ts";
import { readJsonDocument, readJsonl } from "./read-json.ts";
import { readPhotoTexts } from "./read-photo-texts.ts";

/** A source of captioned photos. */
export interface DataPlace {
  path: string;
  /** Folders to search for photos, beside the caption file's own. */
  images: readonly string[];
}

/** Length of the beginning of a file from which its form is detected. */
const bytesLookedAt = 64 * 1024;

/** Names of files that may hold captions, in any form. */
const captionFileName = /\.(jsonl|ndjson|json|csv|tsv|txt)$/i;

const formsTaken =
  "Flickr8k's layout, Kaggle's captions.txt or results.csv, COCO's captions_*.json, Karpathy's dataset_*.json, Hugging Face's " +
  "metadata.jsonl or .csv, a table with the columns path and caption, JSON lines, or photos with a .txt or .caption file each";

/**
 * Reads captioned photos in any known form, detected from the contents. Does not open photos. Throws a sentence if
 * there are none.
 */
export async function readDataset(place: DataPlace): Promise<Dataset> {
  const dataset = (await stat(place.path)).isDirectory() ? await readFolder(place) : await readCaptionFile(place);
  if (dataset.photos.length > 0) return dataset;
  throw new Error(`${place.path}: expected photos with captions, found none`);
}

async function readFolder({ path: folder, images }: DataPlace): Promise<Dataset> {
  const names = await readdir(folder);
  if (names.includes(tokenFile)) return readFlickr8k(folder);
  const captionFiles: string[] = [];
  for (const name of names.filter((candidate) => captionFileName.test(candidate)).toSorted()) {
    if (!(await stat(join(folder, name)).catch(() => undefined))?.isFile()) continue; // a photo's text, or unrelated
    if ((await formOf(join(folder, name))) !== undefined) captionFiles.push(name);
  }
  const [first, second] = captionFiles;
  if (first !== undefined && second !== undefined) {
    throw new Error(
      `${folder}: expected one file of captions, found ${captionFiles.join(", ")}: name the one that is meant`,
    );
  }
  if (first !== undefined) return readCaptionFile({ path: join(folder, first), images });
  const dataset = await readPhotoTexts(folder);
  if (dataset !== undefined) return dataset;
  throw new Error(`${folder}: expected ${formsTaken}; found ${describeNames(names)}`);
}

async function readCaptionFile({ path, images }: DataPlace): Promise<Dataset> {
  const form = await formOf(path);
  if (form === "lines") return readJsonl(path, { images });
  if (form === "table") {
    return collectPhotos({
      path,
      images,
      entries: readCaptionTable(decodeText(await readFile(path), { place: path }).text, path),
    });
  }
  const entries = form === "document" ? await readJsonDocument(path) : undefined;
  if (entries !== undefined) return collectPhotos({ path, images, entries, isEntryPerPhoto: true });
  throw new Error(`${path}: expected ${formsTaken}; found ${JSON.stringify((await readStart(path)).slice(0, 60))}`);
}

type Form = "lines" | "document" | "table";

/** Detects the form of a caption file from its beginning; undefined for any other file. */
async function formOf(path: string): Promise<Form | undefined> {
  if (/\.(jsonl|ndjson)$/i.test(path)) return "lines";
  const start = (await readStart(path)).trimStart().replace(delimiterHint, "");
  const [line = ""] = start.split(/\r?\n/, 1);
  if (isCaptionHeading(line)) return "table";
  if (!start.startsWith("{")) return undefined;
  if (/"(images|annotations)"\s*:/.test(start)) return "document";
  return /"(image|path|file_name)"\s*:/.test(line) && line.trimEnd().endsWith("}") ? "lines" : undefined;
}

async function readStart(path: string): Promise<string> {
  const file = await openInput(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytesLookedAt), 0, bytesLookedAt, 0);
    const bytes = buffer.subarray(0, bytesRead);
    return new TextDecoder(encodingByMark(bytes)).decode(bytes);
  } finally {
    await file.close();
  }
}

/** Lists the first few names of a folder, for messages. */
function describeNames(names: readonly string[]): string {
  if (names.length === 0) return "an empty folder";
  return names.length > 5 ? `${names.slice(0, 5).join(", ")} and ${names.length - 5} more` : names.join(", ");
}
