import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, extname, join, resolve } from "node:path";
import { fromDiskPath, toDiskPath } from "../disk-path.ts";
import { fileErrorReason } from "../file-error.ts";
import { isRawPhoto } from "../raw-preview.ts";
import { type FoundPhoto, isSystemFolder, otherKindOf, type PassedOver } from "./search-result.ts";

/** Extensions of photos in a folder. A file that is named on the command line may be called anything. */
const photoExtensions = new Set(
  ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "avif", "tif", "tiff", "heic", "heif", "hif"].map(
    (name) => `.${name}`,
  ),
);

interface Walk {
  /** The folder that relative paths start from. */
  folder: string;
  /** Whether raw photos with a preview count as photos. */
  takesRaw?: boolean | undefined;
  passedOver: PassedOver;
}

interface NamedEntry {
  name: string;
  entry: Dirent<Buffer>;
}

/**
 * Finds the photos in a folder and all below it, by name. Passes over hidden entries, what systems and programs keep beside
 * photos, and links to folders, which may lead in a circle.
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
    else if (await isPhoto(named, { ...walk, file: resolve(place, name) })) yield { path: below };
  }
}

/** Compares names by code units, so that the order does not depend on the language of the machine. */
export function compareNames(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Whether a name has the extension of a photo. */
export function isCalledPhoto(name: string): boolean {
  return photoExtensions.has(extname(name).toLowerCase());
}

/** Counts hidden folders and photos. Names with `._` hold what macOS knows of a file on disks that cannot. */
function countHidden({ name, entry }: NamedEntry, passedOver: PassedOver): void {
  const isCounted = entry.isDirectory() || isCalledPhoto(name) || otherKindOf(name) !== undefined;
  const isOurs = name.startsWith(".edge-caption");
  if (isCounted && !isOurs && !name.startsWith("._")) passedOver.add("hidden");
}

/** A link counts as what it leads to. One that leads nowhere counts as a photo, so that reading it reports the error. */
async function isPhoto(
  { name, entry }: NamedEntry,
  { file, takesRaw, passedOver }: { file: string } & Pick<Walk, "takesRaw" | "passedOver">,
): Promise<boolean> {
  const isLink = entry.isSymbolicLink();
  if (isLink && (await stat(toDiskPath(file)).catch(() => undefined))?.isDirectory()) {
    passedOver.add("link");
    return false;
  }
  const isTaken = isCalledPhoto(name) || (takesRaw === true && isRawPhoto(name));
  const otherKind = isTaken ? undefined : otherKindOf(name);
  if (otherKind !== undefined) passedOver.add(otherKind);
  if (!isTaken) return false;
  if (!isLink && !entry.isFile()) passedOver.add("special");
  return isLink || entry.isFile();
}
