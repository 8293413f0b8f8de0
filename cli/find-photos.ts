import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { glob, isDynamicPattern } from "tinyglobby";
import { fileErrorReason } from "./file-error.ts";
import { compareNames, walkFolder } from "./walk-folder.ts";

/** A file that is taken for a photo, or a place where none can be found and why. */
export type FoundPhoto = { path: string } | { path: string; error: string };

interface Search {
  /** What relative paths start from. */
  folder: string;
  /** Only photos changed since then. */
  sinceMs?: number | undefined;
}

/**
 * The photos at some places, each once, in the order of the places and by name within one: files whatever they are called,
 * folders with all below them, and glob patterns where no file has that very name. Paths keep the form of their place.
 */
export async function* findPhotos(
  places: Iterable<string> | AsyncIterable<string>,
  { folder, sinceMs }: Search,
): AsyncGenerator<FoundPhoto> {
  const seen = new Set<string>();
  for await (const place of places) {
    for await (const found of photosAt(place, folder)) {
      const file = resolve(folder, found.path);
      if (seen.has(file)) continue;
      seen.add(file);
      if ("error" in found || sinceMs === undefined || (await changedMs(file)) >= sinceMs) yield found;
    }
  }
}

async function* photosAt(place: string, folder: string): AsyncGenerator<FoundPhoto> {
  const kind = await kindOf(resolve(folder, place));
  if (kind === "folder") yield* walkFolder(place, folder);
  else if (kind === "file") yield { path: place };
  else if (isDynamicPattern(place)) yield* matchesOf(place, folder);
  else yield { path: place, error: place.includes("\uFFFD") ? notUtf8 : kind.error };
}

/** Node gives names as text, and what is no UTF-8 in them as U+FFFD. */
const notUtf8 = "there is no such file or folder, or its name is no UTF-8, which cannot be opened";

async function kindOf(file: string): Promise<"file" | "folder" | { error: string }> {
  try {
    return (await stat(file)).isDirectory() ? "folder" : "file";
  } catch (error) {
    return { error: fileErrorReason(error) ?? String(error) };
  }
}

async function* matchesOf(pattern: string, folder: string): AsyncGenerator<FoundPhoto> {
  const matches = await glob(pattern, { cwd: folder, onlyFiles: false, expandDirectories: false });
  if (matches.length === 0) yield { path: pattern, error: "no file matches this pattern" };
  for (const match of matches.sort(compareNames)) yield* photosAt(join(match), folder);
}

/** Infinity for what is gone meanwhile, so that it is reported and not passed over. */
async function changedMs(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.mtimeMs ?? Number.POSITIVE_INFINITY;
}
