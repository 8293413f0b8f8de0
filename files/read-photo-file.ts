import { fileErrorReason } from "./file-error.ts";
import { readRegularFile, UnfitFile } from "./regular-file.ts";
import { UnfitObject } from "./remote/unfit-object.ts";

/** Reads a photo. Throws a sentence for what is not a regular file or too large to be a photo, otherwise the system's error. */
export function readPhotoFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return readRegularFile(path, { expected: "a photo" });
}

/** Makes a reader that reads a photo once, when its bytes are first needed. `files` makes it wait while the photo is rewritten. */
export function photoReader(
  path: string,
  files: { readWhole(path: string): Promise<Uint8Array<ArrayBuffer>> } | undefined,
): () => Promise<Uint8Array<ArrayBuffer>> {
  let begun: Promise<Uint8Array<ArrayBuffer>> | undefined;
  return () => {
    begun ??= files?.readWhole(path) ?? readPhotoFile(path);
    return begun;
  };
}

/** Describes what is wrong with a photo's file or address; undefined for an error that does not concern this photo. */
export function unfitReason(error: unknown): string | undefined {
  return error instanceof UnfitFile || error instanceof UnfitObject ? error.message : fileErrorReason(error);
}
