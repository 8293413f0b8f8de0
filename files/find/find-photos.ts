import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { toDiskPath } from "../disk-path.ts";
import { fileErrorReason } from "../file-error.ts";
import { openInput } from "../regular-file.ts";
import { isAddress } from "../remote/address.ts";
import type { RemotePhotos } from "../remote/remote-photos.ts";
import { hashName, isInShard, type Shard } from "../shard.ts";
import { matchPattern, type Pattern, readPattern } from "./match-pattern.ts";
import { readPathList } from "./read-path-list.ts";
import { type FoundPhoto, isSystemFolder, PassedOver } from "./search-result.ts";
import { compareNames, walkFolder } from "./walk-folder.ts";

/** The character that Node puts for bytes on the command line that are not UTF-8. */
const replacement = "\uFFFD";
const otherEncoding = "a name that is not UTF-8 is found by its folder, or in a list on standard input";

interface Search {
  /** The folder that relative paths start from. */
  folder: string;
  /** Leaves out photos that have not changed since. */
  sinceMs?: number | undefined;
  /** Finds only the photos of this shard, by their paths. */
  shard?: Shard | undefined;
  /** Whether raw photos with a preview count as photos in folders. */
  takesRaw?: boolean | undefined;
  /** Counts what is passed over. */
  passedOver?: PassedOver;
  /** Finds what is behind addresses; without it, they are paths. */
  remote?: RemotePhotos | undefined;
}

type Walk = Pick<Search, "folder" | "takesRaw"> & { passedOver: PassedOver };

/** Photos to look for, as a command line names them. */
export interface SearchRequest extends Omit<Search, "passedOver"> {
  /** Places to search; `-` is a list of them on standard input. */
  paths: readonly string[];
  /** A file with a list of further places. */
  list?: string | undefined;
  /** Whether a list has a NUL after each path, instead of an end of line. */
  isNulSeparated: boolean;
}

/** Finds all photos that a command line names, including those of a list on standard input, and counts what it passes over. */
export async function findAllPhotos({
  paths,
  list,
  isNulSeparated,
  ...search
}: SearchRequest): Promise<{ photos: FoundPhoto[]; passedOver: PassedOver }> {
  const passedOver = new PassedOver();
  const places = async function* () {
    for (const path of paths) {
      if (path === "-") yield* placesIn(process.stdin, { isNulSeparated });
      else yield path;
    }
    if (list !== undefined) yield* placesIn((await openInput(list)).createReadStream(), { isNulSeparated });
  };
  const photos: FoundPhoto[] = [];
  for await (const photo of findPhotos(places(), { ...search, passedOver })) photos.push(photo);
  return { photos, passedOver };
}

/** A place as it was typed, or one of a list. */
type Place = string | { listed: string };

async function* placesIn(
  input: AsyncIterable<Uint8Array>,
  form: Pick<SearchRequest, "isNulSeparated">,
): AsyncGenerator<Place> {
  for await (const listed of readPathList(input, form)) yield { listed };
}

/**
 * Finds the photos at some places, each once, in the order of the places and by name within one. A place is a file whatever
 * its name, a folder with all below it, or a glob pattern if no file has that very name. Paths keep the form of their place.
 */
export async function* findPhotos(
  places: Iterable<Place> | AsyncIterable<Place>,
  { folder, sinceMs, shard, takesRaw, passedOver = new PassedOver(), remote }: Search,
): AsyncGenerator<FoundPhoto> {
  const seen = new Map<string, FoundPhoto>();
  for await (const place of places) {
    for await (const found of photosAt(place, { folder, takesRaw, passedOver, remote })) {
      const isError = "error" in found;
      if (!isError && shard !== undefined && !isInShard(shard, hashName(found.path))) continue;
      const file = isError || found.remote === undefined ? resolve(folder, found.path) : found.path;
      const earlier = seen.get(file);
      if (earlier !== undefined) {
        if (!isSamePlace(earlier, found)) yield asAmbiguous(found);
        continue;
      }
      seen.set(file, found);
      if (isError)
        yield found; // in every shard, so that none ends well whose folder is not there
      else if (sinceMs === undefined || (await changedMs(found, file)) >= sinceMs) yield found;
      else passedOver.add("unchanged");
    }
  }
}

async function* photosAt(named: Place, { remote, ...walk }: Walk & Pick<Search, "remote">): AsyncGenerator<FoundPhoto> {
  const [place, isListed] = typeof named === "string" ? [named, false] : [named.listed, true];
  if (remote !== undefined && isAddress(place)) {
    return yield* remote.find(place, { isListed, passedOver: walk.passedOver });
  }
  if (place.includes("\0")) return yield { path: place, error: zeroByte };
  const kind = await kindOf(resolve(walk.folder, place));
  if (kind === "folder") return yield* walkFolder(place, walk);
  if (kind === "file") return yield { path: place };
  const pattern = readPattern(place);
  if (pattern !== undefined) yield* matchesOf(pattern, walk);
  else yield { path: place, error: kind.error };
}

const zeroByte =
  "expected a path, found a zero byte: is the list in UTF-16 without a byte order mark, or meant for -0?";

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

/** Returns the folder of a match that holds no photos of a person's own, unless the pattern names it. */
function systemFolderOf(match: string, pattern: Pattern): string | undefined {
  const parts = match.split("/").filter((part) => part !== "");
  const isSystem = (part: string, index: number) =>
    !pattern.parts.includes(part) && isSystemFolder(part, { within: parts[index - 1] ?? "" });
  const index = parts.findIndex(isSystem);
  return index < 0 ? undefined : parts.slice(0, index + 1).join("/");
}

/** Whether two photos of one name have one address, too. */
function isSamePlace(one: FoundPhoto, other: FoundPhoto): boolean {
  const [first, second] = [one, other].map((found) => ("remote" in found ? found.remote : undefined));
  return first?.kind !== "web" || second?.kind !== "web" || first.url === second.url;
}

/** Outputs name addresses without their queries, so that nobody could tell the captions of two such photos apart. */
function asAmbiguous({ path }: FoundPhoto): FoundPhoto {
  const error = "another address before it differs in the query alone, without which photos are named: leave one out";
  return { path, remote: { kind: "refused", error } };
}

/** Returns infinity for a photo whose age is not known, and for a file that has disappeared, so that it is reported and not passed over. */
async function changedMs(found: FoundPhoto, file: string): Promise<number> {
  if ("remote" in found && found.remote !== undefined) {
    return (found.remote.kind === "object" ? found.remote.listed?.changedMs : undefined) ?? Number.POSITIVE_INFINITY;
  }
  return (await stat(toDiskPath(file)).catch(() => undefined))?.mtimeMs ?? Number.POSITIVE_INFINITY;
}
