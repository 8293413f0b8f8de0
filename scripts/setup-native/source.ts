import { createHash } from "node:crypto";
import type { Kind, LibraryPin } from "./checksums.ts";

/** Where something that holds TensorFlow's library is. */
export type Place =
  | { from: "index"; package: string; version: string }
  | { from: "url"; url: string }
  | { from: "file"; path: string }
  | { from: "folder"; path: string };

/** Where TensorFlow's library will come from; known before anything is fetched. */
export interface Source {
  place: Place;
  kind: Kind;
  /** Undefined: nobody checked what it is, and `--unpinned` allows that. */
  pin: LibraryPin | undefined;
  /** Names the folder that it becomes in the cache: the same for the same library. */
  name: string;
}

/** `identity` tells what has no pin from everything else that has none. */
export function nameSource({ kind, pin, identity }: Pick<Source, "kind" | "pin"> & { identity: string }): string {
  if (pin !== undefined) return `${kind}-${pin.version}-${pin.sha256.slice(0, 12)}`;
  return `${kind}-unpinned-${createHash("sha256").update(identity).digest("hex").slice(0, 12)}`;
}

/** What is about to be set up, in a line. */
export function describeSource({ kind, pin, place }: Source): string {
  const version = pin?.version ?? (place.from === "index" ? place.version : "of an unknown version");
  return `TensorFlow ${version} for ${kind === "gpu" ? "NVIDIA GPUs" : "the CPU"}`;
}
