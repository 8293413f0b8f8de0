import { createHash } from "node:crypto";
import { link, open, rename, rm } from "node:fs/promises";
import { toDiskPath } from "./disk-path.ts";
import { describeFileError, isFileError } from "./file-error.ts";
import type { FileDigest } from "./regular-file.ts";

/** Short texts are gathered to blocks of this size, so that a file of many lines takes few writes. */
const blockBytes = 64 * 1024;

type Contents = Iterable<string | Uint8Array>;

interface Writing {
  /** Where the file grows, in its folder. Writers that may run at once need a name each. */
  temporary?: string;
  /** Rights of the new file, before the umask. */
  mode?: number;
  /** Whether the file takes the place of an earlier one; otherwise the earlier one stays. */
  replaces?: boolean;
}

/**
 * Writes a file whole or not at all: it grows under a temporary name, `<path>.partial` unless another is given, and takes
 * its own once it is on disk. Throws a sentence that says why it could not be written; nothing half written stays.
 */
export async function writeWhole(path: string, contents: Contents, writing: Writing = {}): Promise<void> {
  const { temporary = partialOf(path), replaces = true } = writing;
  try {
    await writeSynced(contents, { ...writing, temporary });
    if (replaces) await rename(toDiskPath(temporary), toDiskPath(path));
    else await link(toDiskPath(temporary), toDiskPath(path)).catch(ignoreEarlier);
  } catch (error) {
    await removeFile(temporary).catch(() => undefined); // the first error is the one to report
    throw asSentence(error, path);
  }
  if (!replaces) await removeFile(temporary);
}

/** Writes one of several files that belong together. Returns what it holds. */
export type WriteTogether = (path: string, contents: Contents) => Promise<FileDigest>;

/**
 * Writes files that belong together: `work` writes each, and all take their names, in the order in which they were written,
 * once the last is on disk. If `work` throws, none does, and nothing half written stays.
 */
export async function writeTogether(work: (write: WriteTogether) => Promise<void>): Promise<void> {
  const paths: string[] = [];
  try {
    await work((path, contents) => {
      paths.push(path);
      return writeSynced(contents, { temporary: partialOf(path) }).catch((error: unknown) => {
        throw asSentence(error, path);
      });
    });
  } catch (error) {
    for (const path of paths) await removeFile(partialOf(path)).catch(() => undefined);
    throw error;
  }
  for (const path of paths) await rename(toDiskPath(partialOf(path)), toDiskPath(path));
}

/** Gives a file that another program wrote under a temporary name its own, once it is on disk. */
export async function putInPlace(temporary: string, path: string): Promise<void> {
  await syncFile(temporary);
  await rename(toDiskPath(temporary), toDiskPath(path));
}

/** Returns when a file's contents are on disk. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(toDiskPath(path), "r"); // it may have the rights of a photo that nobody may write to
  await file.sync().finally(() => file.close());
}

async function writeSynced(
  contents: Contents,
  { temporary, mode }: Writing & { temporary: string },
): Promise<FileDigest> {
  const hash = createHash("sha256");
  let bytes = 0;
  const file = await open(toDiskPath(temporary), "w", mode);
  try {
    for (const block of blocksOf(contents)) {
      hash.update(block);
      bytes += block.length;
      await file.writeFile(block); // continues where the last one ended
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { bytes, sha256: hash.digest("hex") };
}

/**
 * Makes an error that says in a sentence why a file could not be written, if the system's own code says it. A folder that
 * has the temporary name is named itself.
 */
function asSentence(cause: unknown, path: string): unknown {
  const isInTheWay = isFileError(cause) && cause.code === "EISDIR" && cause.syscall === "open";
  const sentence = describeFileError(cause, isInTheWay ? {} : { path });
  return sentence === undefined ? cause : new Error(sentence, { cause });
}

function* blocksOf(contents: Contents): Generator<Uint8Array> {
  let block = "";
  for (const part of contents) {
    if (typeof part === "string") block += part;
    if (block.length >= blockBytes || typeof part !== "string") {
      yield Buffer.from(block);
      block = "";
    }
    if (typeof part !== "string") yield part;
  }
  yield Buffer.from(block);
}

function ignoreEarlier(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw error;
}

function removeFile(path: string): Promise<void> {
  return rm(toDiskPath(path), { force: true });
}

function partialOf(path: string): string {
  return `${path}.partial`;
}
