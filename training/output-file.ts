import { createHash } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { describeFileError } from "../files/file-error.ts";
import { openInput } from "./read-lines.ts";

const blockBytes = 64 * 1024;

/** Size and SHA-256 of a file. */
export interface FileDigest {
  bytes: number;
  sha256: string;
}

/**
 * Writes a file under the temporary name `<path>.partial` and flushes it to disk; `putInPlace` then renames it. Throws
 * a sentence if it could not be written completely.
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
        await file.writeFile(block); // continues where the last one ended
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

/** Gives a written file its name. Readers see either the old file or the new one, whole. */
export function putInPlace(path: string): Promise<void> {
  return rename(partialOf(path), path);
}

/** Removes a temporary file that is not going to be put in place. */
export function discardPartial(path: string): Promise<void> {
  return rm(partialOf(path), { force: true });
}

/**
 * Computes a file's size and SHA-256 without holding it in memory. Throws a sentence for anything but a regular file.
 */
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

/** Joins short texts into blocks, so that a file of many lines takes few writes. */
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
