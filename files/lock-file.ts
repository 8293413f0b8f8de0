import { mkdir, open, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as z from "zod";
import { readRegularFile, UnfitFile } from "./regular-file.ts";

const lockSchema = z.strictObject({ pid: z.int().positive() });

/**
 * Keeps two runs from writing into one folder at once. Each name is a lock of its own, such as a shard's. Returns a function
 * that releases it. The lock of a run that was killed is taken over. Throws a sentence if another run holds it.
 */
export function lockFolder(folder: string, name: string): Promise<() => Promise<void>> {
  return lock(join(folder, `${name}.lock`), { holds: folder });
}

/** Keeps two runs from writing into one file at once, with a lock beside it. Otherwise like `lockFolder`. */
export function lockFile(path: string): Promise<() => Promise<void>> {
  return lock(`${path}.lock`, { holds: path });
}

async function lock(path: string, { holds }: { holds: string }): Promise<() => Promise<void>> {
  await mkdir(dirname(path), { recursive: true });
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const file = await open(path, "wx");
      await file.writeFile(JSON.stringify({ pid: process.pid }));
      await file.close();
      return () => rm(path, { force: true });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      const holder = await readHolder(path);
      if (holder !== undefined && isRunning(holder)) {
        throw new Error(
          `${holds}: another run, process ${holder}, is writing there: wait for it, choose another place, ` +
            `or delete ${path} if that process is something else`,
        );
      }
      await rm(path, { force: true });
    }
  }
  throw new Error(`${path}: another run took the lock first: wait for it, or choose another place`);
}

/** Reads the process id in a lock; undefined if a kill left it empty. Throws for what no run has made, such as a link. */
async function readHolder(path: string): Promise<number | undefined> {
  try {
    const bytes = await readRegularFile(path, { followsLinks: false });
    return lockSchema.parse(JSON.parse(Buffer.from(bytes).toString())).pid;
  } catch (cause) {
    if (cause instanceof UnfitFile) throw new Error(`${path}: ${cause.message}: delete it`, { cause });
    return undefined;
  }
}

/** Whether another process with this id is running. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return pid !== process.pid;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM"; // it runs as another user
  }
}
