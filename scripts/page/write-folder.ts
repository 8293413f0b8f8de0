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
  for await (const path of filesIn(folder)) {
    if (!wanted.has(path) && !path.endsWith(partialEnding)) await rm(path, { force: true });
  }
}

/** Walks a folder without following links: behind one are files of somebody else. Node's own `recursive` follows them from 26 on. */
async function* filesIn(folder: string): AsyncGenerator<string> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesIn(path);
    else if (entry.isFile()) yield path;
  }
}

const partialEnding = ".partial";

async function writeChanged(path: string, content: Buffer): Promise<void> {
  const present = await readFile(path).catch(() => undefined);
  if (present?.equals(content)) return;
  await mkdir(dirname(path), { recursive: true });
  await writeWhole(path, [content], { temporary: `${path}.${randomUUID()}${partialEnding}` });
}
