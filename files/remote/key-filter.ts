import { isSystemFolder, otherKindOf, type PassedOver } from "../find/search-result.ts";
import { isCalledPhoto } from "../find/walk-folder.ts";

/** Picks photos by their keys, as a folder's photos are picked by their names, and counts what it passes over. */
export class KeyFilter {
  /** Where the names below the prefix begin. */
  readonly #start: number;
  readonly #passedOver: PassedOver;
  /** Folders that are passed over: each counts once. */
  readonly #folders = new Set<string>();

  constructor(prefix: string, passedOver: PassedOver) {
    this.#start = prefix.lastIndexOf("/") + 1;
    this.#passedOver = passedOver;
  }

  isPhoto(key: string): boolean {
    const parts = key.slice(this.#start).split("/");
    const name = parts.pop() ?? "";
    if (name === "" || this.#isPassedOver(parts)) return false; // consoles make an empty object for a folder
    const otherKind = otherKindOf(name);
    const isPhoto = isCalledPhoto(name);
    const isHidden = name.startsWith(".");
    if (isHidden && (isPhoto || otherKind !== undefined)) this.#passedOver.add("hidden");
    else if (!isPhoto) this.#passedOver.add(otherKind ?? "other");
    return isPhoto && !isHidden;
  }

  /** Whether one of the folders above a name is hidden, or a system's. */
  #isPassedOver(folders: readonly string[]): boolean {
    const index = folders.findIndex((folder, at) => kindOf(folder, folders[at - 1] ?? "") !== undefined);
    const kind = kindOf(folders[index] ?? "", folders[index - 1] ?? "");
    if (kind === undefined) return false;
    const path = folders.slice(0, index + 1).join("/");
    if (!this.#folders.has(path)) this.#passedOver.add(kind);
    this.#folders.add(path);
    return true;
  }
}

function kindOf(folder: string, within: string): "system" | "hidden" | undefined {
  if (isSystemFolder(folder, { within })) return "system";
  return folder.startsWith(".") ? "hidden" : undefined;
}
