import { readFile, stat } from "node:fs/promises";

/** Far above any photo; a file is read whole. */
const maxBytes = 1024 ** 3;

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

class UnfitFile extends Error {}

const sentences: Record<string, string> = {
  ENOENT: "there is no such file",
  EACCES: "it may not be read",
};

/** What is wrong with a file, in words; undefined for an error that is none of its. */
export function describeFileError(error: unknown): string | undefined {
  if (error instanceof UnfitFile) return error.message;
  if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) return undefined;
  return sentences[String(error.code)] ?? error.message;
}
