import { existsSync } from "node:fs";
import { chmod, cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as z from "zod";
import { say } from "../../terminal/progress.ts";
import { inStaging, publish } from "./cache.ts";
import type { Source } from "./choose-source.ts";
import { type FetchContext, fetchLibrary } from "./fetch-library.ts";
import { layOutLibrary } from "./lay-out-library.ts";
import { expectToolchain, findNodeHeaders } from "./machine.ts";
import { complaintOf, runCommand } from "./run-command.ts";

/** The parts of the folder to keep after the build; headers and sources are removed. */
const kept = ["deps", "lib", "METADATA"];
const missingHeaders =
  "this Node came without its headers, which node-gyp then fetches: install them, or name their place with npm_config_nodedir";
const packageSchema = z.object({ version: z.string() });

interface Preparation extends FetchContext {
  packageFolder: string;
  isForced: boolean;
}

/** Returns the folder in the cache with the library and the binding built for it, which is made whole or not at all. */
export async function prepareLibrary(source: Source, preparation: Preparation): Promise<string> {
  const { cache, packageFolder, isForced, signal } = preparation;
  const root = join(cache.libraries, `${source.name}-tfjs-${await readBindingVersion(packageFolder)}`);
  if (existsSync(root) && !isForced) {
    say(`set up already in ${root}`);
    return root;
  }
  expectToolchain(); // before anything large is fetched
  const from = await fetchLibrary(source, preparation);
  await inStaging(cache.libraries, async (stage) => {
    await layOutLibrary(from, { root: stage, signal });
    await buildBinding({ packageFolder, root: stage, logPath: join(cache.libraries, "build.log"), signal });
    await chmod(stage, 0o755); // a service under another account reads it
    if (isForced) await rm(root, { recursive: true, force: true });
    await publish(stage, root);
  });
  return root;
}

interface Build {
  /** Folder of the installed `@tensorflow/tfjs-node-gpu`, which is only read. */
  packageFolder: string;
  /** Folder with `deps`. The build adds `lib/napi-v<n>/tfjs_binding.node`, which searches `../../deps/lib`. */
  root: string;
  /** File for the build's output if it fails. */
  logPath: string;
  signal: AbortSignal;
}

/** Reads the version of the installed `@tensorflow/tfjs-node-gpu`. */
async function readBindingVersion(packageFolder: string): Promise<string> {
  return packageSchema.parse(JSON.parse(await readFile(join(packageFolder, "package.json"), "utf8"))).version;
}

/** Compiles the binding as the package's own install script does, without downloads. */
async function buildBinding({ packageFolder, root, logPath, signal }: Build): Promise<void> {
  for (const part of ["binding", "binding.gyp", "package.json"])
    await cp(join(packageFolder, part), join(root, part), { recursive: true });
  say("building the binding with node-gyp");
  const nodedir = findNodeHeaders() ?? process.env.npm_config_nodedir;
  const { hasSucceeded, output } = await runCommand({
    command: process.execPath,
    args: [findPreGyp(packageFolder), "install", "--build-from-source"],
    folder: root,
    environment: { ...process.env, ...(nodedir === undefined ? {} : { npm_config_nodedir: nodedir }) },
    signal,
  });
  if (!hasSucceeded || !(await hasBinding(root))) {
    await writeFile(logPath, output);
    const hint = nodedir === undefined ? `; ${missingHeaders}` : "";
    throw new Error(`the binding could not be built (${complaintOf(output)}): see ${logPath}${hint}`);
  }
  for (const name of await readdir(root)) if (!kept.includes(name)) await rm(join(root, name), { recursive: true });
  await rm(join(root, "deps/include"), { recursive: true });
}

/** Finds node-pre-gyp, which finds npm's node-gyp by the variable that npm sets, or beside this Node. */
function findPreGyp(packageFolder: string): string {
  return createRequire(join(packageFolder, "package.json")).resolve("@mapbox/node-pre-gyp/bin/node-pre-gyp");
}

async function hasBinding(root: string): Promise<boolean> {
  const folders = await readdir(join(root, "lib")).catch(() => []);
  return folders.some((folder) => existsSync(join(root, "lib", folder, "tfjs_binding.node")));
}
