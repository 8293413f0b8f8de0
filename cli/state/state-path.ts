import { existsSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { literalFolderOf, readPattern } from "../../files/find/match-pattern.ts";
import { isAddress, nameAddress } from "../../files/remote/address.ts";
import { isOnDisk } from "../outputs/output-stream.ts";

/** The default name of a state file. */
const stateName = ".edge-caption.jsonl";

/** Returns the path of the state in a folder. */
export function stateIn(folder: string): string {
  return join(folder, stateName);
}

interface Places {
  /** The files that gather captions, as absolute paths. */
  files: readonly (string | undefined)[];
  /** Places of photos as they were given. */
  paths: readonly string[];
  /** A file with a list of further places. */
  list?: string | undefined;
  /** The folder that relative paths start from. */
  folder: string;
}

/** Returns where the state is unless --state says: beside the first output that gathers captions, otherwise in the first folder of photos. */
export function defaultStatePath({ files, paths, folder }: Places): string {
  const output = files.find((file) => file !== undefined && isOnDisk(file));
  return stateIn(output === undefined ? folderOf(paths[0], folder) : dirname(output));
}

/** Returns the folders of photos that were named, and those of the photos in a list. */
export function namedFolders({ paths, list, folder, photos }: Omit<Places, "files"> & Found): string[] {
  const named = paths.filter((path) => path !== "-").map((path) => folderOf(path, folder));
  if (named.length === paths.length && list === undefined) return named;
  return [...new Set([...named, ...photos.map(({ path }) => dirname(resolve(folder, path)))])];
}

interface Found {
  photos: readonly { path: string }[];
}

/** Returns a title for a run: the name of its first folder, or its first address. */
export function titleOf({ paths, folder }: Pick<Places, "paths" | "folder">): string {
  const [first = ""] = paths;
  if (isAddress(first)) return nameAddress(first);
  return basename(folderOf(paths[0], folder)) || "Photos";
}

function folderOf(path: string | undefined, folder: string): string {
  if (path === undefined || path === "-" || isAddress(path)) return folder;
  const place = resolve(folder, path);
  if (existsSync(place)) return statSync(place).isDirectory() ? place : dirname(place);
  const pattern = readPattern(path);
  return pattern === undefined ? dirname(place) : literalFolderOf(pattern, folder);
}

/** Finds the nearest state in a folder or above it. */
export function findState(folder: string): string | undefined {
  for (let place = folder; ; place = dirname(place)) {
    if (existsSync(stateIn(place))) return stateIn(place);
    if (dirname(place) === place) return undefined;
  }
}
