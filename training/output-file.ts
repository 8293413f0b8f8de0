import { createHash } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { describeFileError } from "../files/file-error.ts";
import { openInput } from "./read-lines.ts";

const blockBytes = 64 * 1024;

/** What a file holds. */
export interface FileDigest {
  bytes: number;
  sha256: string;
}

/**
 * Writes a file, as far as the disk, under the temporary name `<path>.partial`, which `putInPlace` takes from it. The
 * error says in a sentence why it could not be written whole.
 */
export async function writePartial(path: string, parts: Iterable<string | Uint8Array>): Promise<FileDigest> {
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    const file = await open(partialOf(path), "w");
    try {
      for (const block of blocksOf(parts)) {
        hash.update(block);
        bytes += block.length;
        await file.writeFile(block); // goes on where the last one ended
      }
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    const sentence = describeFileError(cause, { path });
    throw sentence === undefined ? cause : new Error(sentence, { cause });
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** Gives a written file its name. Whoever reads it sees the old one or the new one, whole. */
export function putInPlace(path: string): Promise<void> {
  return rename(partialOf(path), path);
}

/** Removes what was written of a file that is not to be put in place, so that it takes no room. */
export function discardPartial(path: string): Promise<void> {
  return rm(partialOf(path), { force: true });
}

/** Reads a file for its size and SHA-256, without holding it in memory. Throws a sentence for what is no regular file. */
export async function digestFile(path: string): Promise<FileDigest> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of (await openInput(path)).createReadStream()) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

function partialOf(path: string): string {
  return `${path}.partial`;
}

/** Short texts together, so that a file of many lines takes few writes. */
function* blocksOf(parts: Iterable<string | Uint8Array>): Generator<Uint8Array> {
  let block = "";
  for (const part of parts) {
    if (typeof part === "string") block += part;
    if (block.length >= blockBytes || typeof part !== "string") {
      yield Buffer.from(block);
      block = "";
    }
    if (typeof part !== "string") yield part;
  }
  yield Buffer.from(block);
}
