import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeWhole } from "../../files/write-whole.ts";

export interface BuiltFile {
  /** Relative to the folder. */
  path: string;
  content: string | Uint8Array;
}

/**
 * Makes a folder hold these files and no others. Each is written whole or not at all, and one that is as it should be is
 * left alone: several servers may build and read the folder at once.
 */
export async function writeFolder(folder: string, files: readonly BuiltFile[]): Promise<void> {
  for (const { path, content } of files) await writeChanged(join(folder, path), Buffer.from(content));
  const wanted = new Set(files.map(({ path }) => join(folder, path)));
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !wanted.has(path) && !path.endsWith(partialEnding)) await rm(path, { force: true });
  }
}

const partialEnding = ".partial";

async function writeChanged(path: string, content: Buffer): Promise<void> {
  const present = await readFile(path).catch(() => undefined);
  if (present?.equals(content)) return;
  await mkdir(dirname(path), { recursive: true });
  await writeWhole(path, [content], { temporary: `${path}.${randomUUID()}${partialEnding}` });
}
