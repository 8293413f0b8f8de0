import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, stat, statfs } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { isRunning } from "../../files/lock-file.ts";
import { describeBytes } from "./progress.ts";

const dayMs = 24 * 3600 * 1000;
const partialName = /^\.partial-(.+)-(\d+)-[^-]+$/;

/** Folders outside the checkout that keep what was fetched and built between runs. */
export interface Cache {
  downloads: string;
  libraries: string;
}

/** Makes the cache's folders if they are missing, and removes what killed runs left in them. */
export async function openCache(folder: string): Promise<Cache> {
  const cache = { downloads: join(folder, "downloads"), libraries: join(folder, "tensorflow") };
  for (const place of Object.values(cache)) await openCacheFolder(place);
  return cache;
}

/** Makes a folder of the cache if it is missing, and removes what killed runs left in it. */
export async function openCacheFolder(place: string): Promise<void> {
  await mkdir(place, { recursive: true });
  await removeStale(place);
}

/** Runs `work` on a new folder beside the place that its contents will get, and removes what is left of it afterwards. */
export async function inStaging<Result>(parent: string, work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(parent, `.partial-${hostname()}-${process.pid}-`));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Gives a finished file or folder its name in one step. If another run was first, its result stays. */
export async function publish(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}

/** Throws a sentence if the file system of `folder` has less free space. */
export async function expectSpace(folder: string, { bytes }: { bytes: number }): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free < bytes)
    throw new Error(
      `expected ${describeBytes(bytes)} of free space for ${folder}, found ${describeBytes(free)}: make room, or choose another place with --cache`,
    );
}

async function removeStale(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const path = join(parent, name);
    if (await isStale(path, { name })) await rm(path, { recursive: true, force: true });
  }
}

/** Whether a folder was left by a killed run. A run on another host that shares the cache cannot be checked, so it gets a day. */
async function isStale(path: string, { name }: { name: string }): Promise<boolean> {
  const [, host, pid] = partialName.exec(name) ?? [];
  if (host === undefined) return false;
  if (host === hostname()) return !isRunning(Number(pid));
  return Date.now() - (await stat(path)).mtimeMs > dayMs;
}
