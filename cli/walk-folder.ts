import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { extname, join, resolve } from "node:path";
import { fileErrorReason } from "./file-error.ts";
import type { FoundPhoto } from "./find-photos.ts";

/** In a folder only these are taken for photos. A file that is named on the command line may be called anything. */
const photoExtensions = new Set(
  ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "avif", "tif", "tiff", "heic", "heif", "hif"].map(
    (name) => `.${name}`,
  ),
);

/** What a NAS keeps beside the photos: thumbnails of them, by the same names. */
const passedOver = new Set(["@eaDir", "#recycle", "#snapshot"]);

/**
 * The photos in a folder and all below it, by name. Hidden entries are passed over, and so are links to folders, which
 * may lead round in a circle.
 */
export async function* walkFolder(path: string, root: string): AsyncGenerator<FoundPhoto> {
  let entries: Dirent[];
  try {
    entries = await readdir(resolve(root, path), { withFileTypes: true });
  } catch (error) {
    yield { path, error: fileErrorReason(error) ?? String(error) };
    return;
  }
  for (const entry of entries.sort((one, other) => compareNames(one.name, other.name))) {
    const below = join(path, entry.name);
    if (entry.name.startsWith(".") || passedOver.has(entry.name)) continue;
    if (entry.isDirectory()) yield* walkFolder(below, root);
    else if (isCalledPhoto(entry.name) && (await isFile(entry, resolve(root, below)))) yield { path: below };
  }
}

/** By code units: the same everywhere, whatever the language of the machine. */
export function compareNames(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function isCalledPhoto(name: string): boolean {
  return photoExtensions.has(extname(name).toLowerCase());
}

/** A link counts as what it leads to; one that leads nowhere is for the reader to report. */
async function isFile(entry: Dirent, file: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isFile();
  return !(await stat(file).catch(() => undefined))?.isDirectory();
}
