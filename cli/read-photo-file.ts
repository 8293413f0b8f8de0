import { readFile, stat } from "node:fs/promises";
import { fileErrorReason } from "./file-error.ts";

/** What Node reads into one piece of memory, and far above any photo. */
const maxBytes = 2 ** 31 - 1;

/** A photo's bytes. Throws a sentence for what is no plain file or too large to be a photo, the system's error else. */
export async function readPhotoFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const found = await stat(path); // before opening: a pipe would wait for its other end
  if (found.isFile() && found.size <= maxBytes) return new Uint8Array(await readFile(path));
  throw new UnfitFile(
    found.isDirectory()
      ? "it is a folder, expected a photo"
      : found.isFile()
        ? `expected a photo of at most ${maxBytes} bytes, received ${found.size}`
        : "it is no plain file, expected a photo",
  );
}

/** Reads a photo's file when its bytes are first asked for, and once. */
export function photoReader(path: string): () => Promise<Uint8Array<ArrayBuffer>> {
  let begun: Promise<Uint8Array<ArrayBuffer>> | undefined;
  return () => {
    begun ??= readPhotoFile(path);
    return begun;
  };
}

class UnfitFile extends Error {}

/** What is wrong with a photo's file, in words; undefined for an error that is none of its. */
export function unfitReason(error: unknown): string | undefined {
  return error instanceof UnfitFile ? error.message : fileErrorReason(error);
}
