import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { promisify } from "node:util";
import type { BuiltFile } from "../page/write-folder.ts";
import { repository } from "../repository.ts";

const entry = "cli/create-captioner.d.ts";
const relativeImport = /(?<=from ")(\.[^"]+)\.ts(?=")/g;

/** Declarations of the library and of what it is declared in terms of, under the paths of their sources. */
export async function declareTypes(): Promise<BuiltFile[]> {
  const folder = await mkdtemp(join(tmpdir(), "edge-caption-types-"));
  try {
    const compiler = join(repository, "node_modules/typescript/bin/tsc");
    const project = join(repository, "scripts/build/tsconfig.types.json");
    await promisify(execFile)(process.execPath, [compiler, "-p", project, "--outDir", folder]);
    return await readReachable(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** tsc declares every source that the library is made of; most of them it only runs. */
async function readReachable(folder: string): Promise<BuiltFile[]> {
  const files = new Map<string, BuiltFile>();
  const wanted = [entry];
  for (const path of wanted) {
    if (files.has(path)) continue;
    const text = await readFile(join(folder, path), "utf8");
    files.set(path, { path, content: text.replaceAll(relativeImport, "$1.js") });
    for (const [, name] of text.matchAll(relativeImport)) wanted.push(posix.join(posix.dirname(path), `${name}.d.ts`));
  }
  return [...files.values()];
}
