import { constants, type Stats } from "node:fs";
import { type FileHandle, lstat, open, stat } from "node:fs/promises";
import { toDiskPath } from "./disk-path.ts";
import { isMissing } from "./file-error.ts";

/** What Node reads into one piece of memory, and far above any photo. */
const maxBytes = 2 ** 31 - 1;

/** Windows has neither. */
const { O_NONBLOCK = 0, O_NOFOLLOW = 0, O_RDONLY } = constants;

/** Something stands where a regular file was expected. Its message is a sentence without the path. */
export class UnfitFile extends Error {
  override readonly name = "UnfitFile";
}

/** What something on a disk is, in words. */
export function kindOf(found: Stats): string {
  if (found.isFile()) return "a file";
  if (found.isDirectory()) return "a folder";
  if (found.isSymbolicLink()) return "a link";
  if (found.isFIFO()) return "a named pipe";
  return found.isSocket() ? "a socket" : "a device";
}

interface Opening {
  /** As of `open(2)`; reading is the default. */
  flags?: number;
  /** What was wanted, in words. */
  expected?: string;
  /** Whether a link counts as what it leads to. */
  followsLinks?: boolean;
}

/**
 * Opens a regular file. Throws a sentence for anything else, which is asked for before opening, since a pipe would wait for
 * its other end and a device may act on it, and once more behind it, in case that it was exchanged.
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

/** The bytes of a regular file that fits into memory. */
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

/** Whether a regular file stands there; false where nothing does. Throws a sentence for anything else, links included. */
export async function isRegularFileThere(path: string): Promise<boolean> {
  const found = await lstat(toDiskPath(path)).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (found !== undefined) expectRegular(found, "a file");
  return found !== undefined;
}

function expectRegular(found: Stats, expected: string): void {
  if (!found.isFile()) throw new UnfitFile(`it is ${kindOf(found)}, expected ${expected}`);
}
