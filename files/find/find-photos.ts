import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { toDiskPath } from "../disk-path.ts";
import { fileErrorReason } from "../file-error.ts";
import { matchPattern, type Pattern, readPattern } from "./match-pattern.ts";
import { PassedOver } from "./passed-over.ts";
import { isSystemFolder } from "./system-folder.ts";
import { compareNames, type FoundPhoto, walkFolder } from "./walk-folder.ts";

/** What Node gives for bytes on the command line that are not UTF-8. */
const replacement = "\uFFFD";
const otherEncoding = "a name that is not UTF-8 is found by its folder, or in a list on standard input";

interface Search {
  /** What relative paths start from. */
  folder: string;
  /** Only photos changed since then. */
  sinceMs?: number | undefined;
  /** Counts what is left out. */
  passedOver?: PassedOver;
}

type Walk = Pick<Search, "folder"> & { passedOver: PassedOver };

/**
 * The photos at some places, each once, in the order of the places and by name within one: files whatever they are called,
 * folders with all below them, and glob patterns where no file has that very name. Paths keep the form of their place.
 */
export async function* findPhotos(
  places: Iterable<string> | AsyncIterable<string>,
  { folder, sinceMs, passedOver = new PassedOver() }: Search,
): AsyncGenerator<FoundPhoto> {
  const seen = new Set<string>();
  for await (const place of places) {
    for await (const found of photosAt(place, { folder, passedOver })) {
      const file = resolve(folder, found.path);
      if (seen.has(file)) continue;
      seen.add(file);
      if ("error" in found || sinceMs === undefined || (await changedMs(file)) >= sinceMs) yield found;
      else passedOver.add("unchanged");
    }
  }
}

async function* photosAt(place: string, walk: Walk): AsyncGenerator<FoundPhoto> {
  if (place.includes("\0")) return yield { path: place, error: zeroByte };
  const kind = await kindOf(resolve(walk.folder, place));
  if (kind === "folder") return yield* walkFolder(place, walk);
  if (kind === "file") return yield { path: place };
  const pattern = readPattern(place);
  if (pattern !== undefined) yield* matchesOf(pattern, walk);
  else yield { path: place, error: kind.error };
}

const zeroByte = "expected a path, found a zero byte: is the list in UTF-16 without a mark, or one for -0?";

async function kindOf(file: string): Promise<"file" | "folder" | { error: string }> {
  try {
    return (await stat(toDiskPath(file))).isDirectory() ? "folder" : "file";
  } catch (error) {
    const reason = fileErrorReason(error) ?? String(error);
    return { error: file.includes(replacement) ? `${reason}; ${otherEncoding}` : reason };
  }
}

async function* matchesOf(pattern: Pattern, walk: Walk): AsyncGenerator<FoundPhoto> {
  const matches = await matchPattern(pattern, walk.folder);
  if (matches.length === 0) yield { path: pattern.text, error: "no file matches this pattern" };
  const systemFolders = new Set<string>();
  for (const match of matches.sort(compareNames)) {
    const systemFolder = systemFolderOf(match, pattern);
    if (systemFolder === undefined) yield* photosAt(join(match), walk);
    else systemFolders.add(systemFolder);
  }
  for (const _ of systemFolders) walk.passedOver.add("system");
}

/** The folder of a match in which a person's photos are not, unless the pattern names it. */
function systemFolderOf(match: string, pattern: Pattern): string | undefined {
  const parts = match.split("/").filter((part) => part !== "");
  const isSystem = (part: string, index: number) =>
    !pattern.parts.includes(part) && isSystemFolder(part, { within: parts[index - 1] ?? "" });
  const index = parts.findIndex(isSystem);
  return index < 0 ? undefined : parts.slice(0, index + 1).join("/");
}

/** Infinity for what is gone meanwhile, so that it is reported and not passed over. */
async function changedMs(file: string): Promise<number> {
  return (await stat(toDiskPath(file)).catch(() => undefined))?.mtimeMs ?? Number.POSITIVE_INFINITY;
}
