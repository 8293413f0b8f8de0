import { basename, dirname, extname, join } from "node:path";
import { UnfitForCaption } from "./output.ts";

/** `photo.txt` for `photo.jpg`. */
export function stemPath(file: string, extension: string): string {
  return join(dirname(file), `${basename(file, extname(file))}${extension}`);
}

/** Which photo a sidecar belongs to: of `photo.jpg` and `photo.png` only one can have `photo.txt`. */
export class SidecarClaims {
  readonly #owners = new Map<string, string>();

  /** Returns the sidecar's path; throws where an earlier photo has it. */
  claim(sidecar: string, path: string): string {
    const owner = this.#owners.get(sidecar) ?? path;
    this.#owners.set(sidecar, owner);
    if (owner === path) return sidecar;
    throw new UnfitForCaption(`${basename(sidecar)} belongs to ${owner} already`);
  }
}
