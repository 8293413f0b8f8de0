import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { promisify } from "node:util";
import * as z from "zod";
import type { BuiltFile } from "../page/write-folder.ts";
import { repository } from "../repository.ts";
import { commands } from "./bundle-programs.ts";

const rootSchema = z.object({
  name: z.string(),
  version: z.string(),
  description: z.string(),
  license: z.string(),
  type: z.literal("module"),
  engines: z.record(z.string(), z.string()),
  workspaces: z.array(z.string()),
});
const workspaceSchema = z.object({ dependencies: z.record(z.string(), z.string()) });

const entry = "cli/create-captioner.d.ts";
const relativeImport = /(?<=from ")(\.[^"]+)\.ts(?=")/g;

/**
 * `package.json` of the built package: what it shares with the clone's, and of the workspaces' dependencies those that the programs
 * import, at the same versions. Throws if they import something that no workspace names.
 */
export async function describePackage({
  packages,
  isServiceAlone,
}: {
  packages: ReadonlySet<string>;
  isServiceAlone: boolean;
}): Promise<string> {
  const { workspaces, ...shared } = rootSchema.parse(await readJson("package.json"));
  const versions = new Map<string, string>();
  for (const workspace of workspaces) {
    const { dependencies } = workspaceSchema.parse(await readJson(join(workspace, "package.json")));
    for (const [name, version] of Object.entries(dependencies)) {
      const other = versions.get(name) ?? version;
      if (other !== version) throw new Error(`the workspaces name two versions of ${name}: ${other} and ${version}`);
      versions.set(name, version);
    }
  }
  const dependencies = Object.fromEntries([...packages].sort().map((name) => [name, versionOf(name, versions)]));
  const entries = isServiceAlone
    ? { private: true }
    : {
        bin: Object.fromEntries(Object.entries(commands).map(([name, program]) => [name, `lib/${program}.js`])),
        exports: { ".": { types: "./types/cli/create-captioner.d.ts", default: "./lib/create-captioner.js" } },
        files: ["lib", "types", "models", "docs", "NOTICE"],
      };
  return `${JSON.stringify({ ...shared, ...entries, dependencies }, null, 2)}\n`;
}

function versionOf(name: string, versions: ReadonlyMap<string, string>): string {
  const version = versions.get(name);
  if (version !== undefined) return version;
  throw new Error(`the programs import ${name}: expected it among the dependencies of a workspace`);
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(join(repository, path), "utf8"));
}

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
