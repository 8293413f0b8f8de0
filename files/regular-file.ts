import { createHash } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { type FileHandle, lstat, open, stat } from "node:fs/promises";
import { toDiskPath } from "./disk-path.ts";
import { isMissing } from "./file-error.ts";

/** The most that Node reads into one piece of memory, far above any photo. */
const maxBytes = 2 ** 31 - 1;

/** Windows has neither. */
const { O_NONBLOCK = 0, O_NOFOLLOW = 0, O_RDONLY } = constants;

/** Thrown for something other than a regular file. Its message is a sentence without the path. */
export class UnfitFile extends Error {
  override readonly name = "UnfitFile";
}

/** Names the kind of something on a disk in words. */
export function describeKind(found: Stats): string {
  if (found.isFile()) return "a file";
  if (found.isDirectory()) return "a folder";
  if (found.isSymbolicLink()) return "a link";
  if (found.isFIFO()) return "a named pipe";
  return found.isSocket() ? "a socket" : "a device";
}

interface Opening {
  /** Flags of `open(2)`; reading is the default. */
  flags?: number;
  /** The file that was wanted, in words. */
  expected?: string;
  /** Whether a link counts as what it leads to. */
  followsLinks?: boolean;
}

/**
 * Opens a regular file. Throws a sentence for anything else. The kind is checked before opening, since a pipe would wait for
 * its other end and a device may act on it, and again afterwards, in case the file was exchanged.
 */
export async function openRegularFile(
  path: string,
  { flags = O_RDONLY, expected = "a file", followsLinks = true }: Opening = {},
): Promise<FileHandle> {
  const onDisk = toDiskPath(path);
  const found = await (followsLinks ? stat(onDisk) : lstat(onDisk)).catch((error: unknown) => {
    if (isMissing(error) && flags & constants.O_CREAT) return undefined;
    throw error;
  });
  if (found !== undefined) expectRegular(found, expected);
  const isNew = found === undefined ? constants.O_EXCL : 0; // through a link that leads nowhere, no file is made
  const file = await open(onDisk, flags | isNew | O_NONBLOCK | (followsLinks ? 0 : O_NOFOLLOW), 0o666);
  try {
    expectRegular(await file.stat(), expected);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Reads the bytes of a regular file that fits into memory. */
export async function readRegularFile(
  path: string,
  opening: Omit<Opening, "flags"> = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const file = await openRegularFile(path, opening);
  try {
    const { size } = await file.stat();
    const { expected = "a file" } = opening;
    if (size > maxBytes) throw new UnfitFile(`expected ${expected} of at most ${maxBytes} bytes, received ${size}`);
    return new Uint8Array(await file.readFile());
  } finally {
    await file.close();
  }
}

/**
 * Opens a file of data to read it. Throws a sentence with the path for what is not a regular file: data are read several
 * times, and a pipe has its contents once, or never.
 */
export async function openInput(path: string): Promise<FileHandle> {
  try {
    return await openRegularFile(path);
  } catch (cause) {
    throw cause instanceof UnfitFile ? new Error(`${path}: ${cause.message}`, { cause }) : cause;
  }
}

/** What a file holds. */
export interface FileDigest {
  bytes: number;
  sha256: string;
}

/** Reads a file for its size and SHA-256, without holding it in memory. Throws a sentence for what is not a regular file. */
export async function digestFile(path: string): Promise<FileDigest> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of (await openInput(path)).createReadStream()) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** Whether there is a regular file; false if there is nothing. Throws a sentence for anything else, links included. */
export async function isRegularFileThere(path: string): Promise<boolean> {
  const found = await lstat(toDiskPath(path)).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (found !== undefined) expectRegular(found, "a file");
  return found !== undefined;
}

function expectRegular(found: Stats, expected: string): void {
  if (!found.isFile()) throw new UnfitFile(`it is ${describeKind(found)}, expected ${expected}`);
}
