import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, extname, join, resolve } from "node:path";
import { fromDiskPath, toDiskPath } from "../disk-path.ts";
import { fileErrorReason } from "../file-error.ts";
import { otherKindOf, type PassedOver } from "./passed-over.ts";
import { isSystemFolder } from "./system-folder.ts";

/** A file that is taken for a photo, or a place where none can be found and why. */
export type FoundPhoto = { path: string } | { path: string; error: string };

/** In a folder only these are taken for photos. A file that is named on the command line may be called anything. */
const photoExtensions = new Set(
  ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "avif", "tif", "tiff", "heic", "heif", "hif"].map(
    (name) => `.${name}`,
  ),
);

interface Walk {
  /** What relative paths start from. */
  folder: string;
  passedOver: PassedOver;
}

interface NamedEntry {
  name: string;
  entry: Dirent<Buffer>;
}

/**
 * The photos in a folder and all below it, by name. Hidden entries are passed over, what systems and programs keep beside
 * photos, and links to folders, which may lead round in a circle.
 */
export async function* walkFolder(path: string, walk: Walk): AsyncGenerator<FoundPhoto> {
  let entries: NamedEntry[];
  const place = resolve(walk.folder, path);
  try {
    const found = await readdir(toDiskPath(place), { withFileTypes: true, encoding: "buffer" });
    entries = found.map((entry) => ({ name: fromDiskPath(entry.name), entry }));
  } catch (error) {
    yield { path, error: fileErrorReason(error) ?? String(error) };
    return;
  }
  for (const named of entries.sort((one, other) => compareNames(one.name, other.name))) {
    const { name, entry } = named;
    const below = join(path, name);
    const isFolder = entry.isDirectory();
    if (isFolder && isSystemFolder(name, { within: basename(place) })) walk.passedOver.add("system");
    else if (name.startsWith(".")) countHidden(named, walk.passedOver);
    else if (isFolder) yield* walkFolder(below, walk);
    else if (await isPhoto(named, { file: resolve(place, name), passedOver: walk.passedOver })) yield { path: below };
  }
}

/** By code units: the same everywhere, whatever the language of the machine. */
export function compareNames(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function isCalledPhoto(name: string): boolean {
  return photoExtensions.has(extname(name).toLowerCase());
}

/** Folders, and what is called a photo; `._` is what macOS keeps of a file where a disk cannot. */
function countHidden({ name, entry }: NamedEntry, passedOver: PassedOver): void {
  const isTold = entry.isDirectory() || isCalledPhoto(name) || otherKindOf(name) !== undefined;
  const isOurs = name.startsWith(".edge-caption");
  if (isTold && !isOurs && !name.startsWith("._")) passedOver.add("hidden");
}

/** A link counts as what it leads to; one that leads nowhere is for the reader to report. */
async function isPhoto(
  { name, entry }: NamedEntry,
  { file, passedOver }: { file: string; passedOver: PassedOver },
): Promise<boolean> {
  const isLink = entry.isSymbolicLink();
  if (isLink && (await stat(toDiskPath(file)).catch(() => undefined))?.isDirectory()) {
    passedOver.add("link");
    return false;
  }
  const otherKind = otherKindOf(name);
  if (otherKind !== undefined) passedOver.add(otherKind);
  if (!isCalledPhoto(name)) return false;
  if (!isLink && !entry.isFile()) passedOver.add("special");
  return isLink || entry.isFile();
}
