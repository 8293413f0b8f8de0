import { fileErrorReason } from "./file-error.ts";
import { readRegularFile, UnfitFile } from "./regular-file.ts";

/** A photo's bytes. Throws a sentence for what is not a regular file or too large to be a photo, the system's error else. */
export function readPhotoFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return readRegularFile(path, { expected: "a photo" });
}

/** Reads a photo's file when its bytes are first asked for, and once: of `files`, while nothing is written into it. */
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

/** What is wrong with a photo's file, in words; undefined for an error that is none of its. */
export function unfitReason(error: unknown): string | undefined {
  return error instanceof UnfitFile ? error.message : fileErrorReason(error);
}
