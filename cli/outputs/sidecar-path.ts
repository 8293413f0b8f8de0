import { basename, dirname, extname, join } from "node:path";
import { UnfitForCaption } from "../../files/file-error.ts";
import { unfitReason } from "../../files/read-photo-file.ts";
import { isRegularFileThere } from "../../files/regular-file.ts";

/** `photo.txt` for `photo.jpg`. */
export function stemPath(file: string, extension: string): string {
  return join(dirname(file), `${basename(file, extname(file))}${extension}`);
}

/** Whether there is a sidecar. Throws for anything else that stands in its place, and for a name that cannot be. */
export async function isSidecarThere(path: string): Promise<boolean> {
  try {
    return await isRegularFileThere(path);
  } catch (cause) {
    const reason = unfitReason(cause);
    throw reason === undefined ? cause : new UnfitForCaption(`${basename(path)}: ${reason}`, { cause });
  }
}

/** One photo as phones and cameras write it twice, such as `IMG_1.HEIC` and `IMG_1.JPG`. */
function isPair(one: string, other: string): boolean {
  if (stemPath(one, "") !== stemPath(other, "")) return false;
  const [first, second] = [extname(one).toLowerCase(), extname(other).toLowerCase()];
  return (heifNames.has(first) && jpegNames.has(second)) || (jpegNames.has(first) && heifNames.has(second));
}

/** Tells of a HEIC photo whether it is among photos as a JPEG, too. */
export function jpegStemsIn(photos: readonly { path: string }[]): (path: string) => boolean {
  const stems = new Set(
    photos.flatMap(({ path }) => (jpegNames.has(extname(path).toLowerCase()) ? [stemPath(path, "")] : [])),
  );
  return (path) => stems.has(stemPath(path, ""));
}

const heifNames = new Set([".heic", ".heif", ".hif"]);
const jpegNames = new Set([".jpg", ".jpeg", ".jpe"]);

/** Which photo sidecars belong to that are named after its stem: of `photo.jpg` and `photo.png` only one can have `photo.txt`. */
export class SidecarClaims {
  readonly #owners = new Map<string, string>();

  /** Returns the sidecar's path, or undefined where a photo has it that shows the same; throws where another one has it. */
  claim(sidecar: string, path: string): string | undefined {
    const stem = stemPath(sidecar, "");
    const owner = this.#owners.get(stem) ?? path;
    this.#owners.set(stem, owner);
    if (owner === path) return sidecar;
    if (isPair(owner, path)) return undefined;
    throw new UnfitForCaption(`${basename(sidecar)} belongs to ${owner} already`);
  }
}
