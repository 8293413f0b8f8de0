import { existsSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { literalFolderOf, readPattern } from "../../files/find/match-pattern.ts";
import { isOnDisk } from "../outputs/output-stream.ts";

/** The name of a state file where none is given. */
const stateName = ".edge-caption.jsonl";

/** Where a folder has its state. */
export function stateIn(folder: string): string {
  return join(folder, stateName);
}

interface Places {
  /** The files that gather captions, absolute. */
  files: readonly (string | undefined)[];
  /** As they were given. */
  paths: readonly string[];
  /** What relative paths start from. */
  folder: string;
}

/** Where the state lies unless told: beside the first output that gathers captions, or else in the first folder of photos. */
export function defaultStatePath({ files, paths, folder }: Places): string {
  const output = files.find((file) => file !== undefined && isOnDisk(file));
  return stateIn(output === undefined ? folderOf(paths[0], folder) : dirname(output));
}

/** The folders of photos that were named; of a list, those of its photos. */
export function namedFolders({ paths, folder, photos }: Pick<Places, "paths" | "folder"> & Found): string[] {
  const named = paths.filter((path) => path !== "-").map((path) => folderOf(path, folder));
  if (named.length === paths.length) return named;
  return [...new Set([...named, ...photos.map(({ path }) => dirname(resolve(folder, path)))])];
}

interface Found {
  photos: readonly { path: string }[];
}

/** What a run is called after. */
export function titleOf({ paths, folder }: Pick<Places, "paths" | "folder">): string {
  return basename(folderOf(paths[0], folder)) || "Photos";
}

function folderOf(path: string | undefined, folder: string): string {
  if (path === undefined || path === "-") return folder;
  const place = resolve(folder, path);
  if (existsSync(place)) return statSync(place).isDirectory() ? place : dirname(place);
  const pattern = readPattern(path);
  return pattern === undefined ? dirname(place) : literalFolderOf(pattern, folder);
}

/** The nearest state at a folder or above it, for whoever has only the photos. */
export function findState(folder: string): string | undefined {
  for (let place = folder; ; place = dirname(place)) {
    if (existsSync(stateIn(place))) return stateIn(place);
    if (dirname(place) === place) return undefined;
  }
}
