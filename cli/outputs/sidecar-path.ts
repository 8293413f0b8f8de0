import { basename, dirname, extname, join } from "node:path";
import { UnfitForCaption } from "../../files/file-error.ts";
import { isRawPhoto } from "../../files/raw-preview.ts";
import { unfitReason } from "../../files/read-photo-file.ts";
import { isRegularFileThere } from "../../files/regular-file.ts";

/** Returns `photo.txt` for `photo.jpg`. */
export function stemPath(file: string, extension: string): string {
  return join(dirname(file), `${basename(file, extname(file))}${extension}`);
}

/** Whether there is a sidecar. Throws for anything else in its place, and for a name that the disk does not allow. */
export async function isSidecarThere(path: string): Promise<boolean> {
  try {
    return await isRegularFileThere(path);
  } catch (cause) {
    const reason = unfitReason(cause);
    throw reason === undefined ? cause : new UnfitForCaption(`${basename(path)}: ${reason}`, { cause });
  }
}

/** Whether two files are one photo as phones and cameras write it twice: `IMG_1.HEIC` and `IMG_1.JPG`, or `IMG_1.CR2` and either. */
function isPair(one: string, other: string): boolean {
  if (stemPath(one, "") !== stemPath(other, "")) return false;
  const kinds = [one, other].map((file) => (isRawPhoto(file) ? "raw" : kindByName.get(extname(file).toLowerCase())));
  return kinds[0] !== kinds[1] && !kinds.includes(undefined);
}

/** Makes a test whether a HEIC photo is among these photos as a JPEG, too. */
export function jpegStemsIn(photos: readonly { path: string }[]): (path: string) => boolean {
  const stems = new Set(
    photos.flatMap(({ path }) => (kindByName.get(extname(path).toLowerCase()) === "jpeg" ? [stemPath(path, "")] : [])),
  );
  return (path) => stems.has(stemPath(path, ""));
}

const kindByName = new Map([
  ...[".heic", ".heif", ".hif"].map((name) => [name, "heif"] as const),
  ...[".jpg", ".jpeg", ".jpe"].map((name) => [name, "jpeg"] as const),
]);

/** Assigns sidecars that are named after a stem to photos: of `photo.jpg` and `photo.png` only one can have `photo.txt`. */
export class SidecarClaims {
  readonly #owners = new Map<string, string>();

  /** Returns the sidecar's path, or undefined if the other file of a pair has it; throws if another photo has it. */
  claim(sidecar: string, path: string): string | undefined {
    const stem = stemPath(sidecar, "");
    const owner = this.#owners.get(stem) ?? path;
    this.#owners.set(stem, owner);
    if (owner === path) return sidecar;
    if (isPair(owner, path)) return undefined;
    throw new UnfitForCaption(`${basename(sidecar)} belongs to ${owner} already`);
  }
}
