import { existsSync } from "node:fs";
import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as z from "zod";
import { say } from "../../terminal/progress.ts";
import { complaintOf, runCommand } from "./run-command.ts";
import { findNodeHeaders } from "./toolchain.ts";

/** What stays of the folder once it is built; headers and sources do not. */
const kept = ["deps", "lib", "METADATA"];
const missingHeaders =
  "this Node came without its headers, which node-gyp then fetches: install them, or name their place with npm_config_nodedir";
const packageSchema = z.object({ version: z.string() });

interface Build {
  /** Of the installed `@tensorflow/tfjs-node-gpu`, which is only read. */
  packageFolder: string;
  /** Holds `deps`; gets `lib/napi-v<n>/tfjs_binding.node`, which looks for libraries in `../../deps/lib`. */
  root: string;
  /** Gets what the build wrote, where it failed. */
  logPath: string;
  signal: AbortSignal;
}

/** Version of the installed `@tensorflow/tfjs-node-gpu`. */
export async function readBindingVersion(packageFolder: string): Promise<string> {
  return packageSchema.parse(JSON.parse(await readFile(join(packageFolder, "package.json"), "utf8"))).version;
}

/** Compiles the binding, as the package's own install script does, but without downloads. */
export async function buildBinding({ packageFolder, root, logPath, signal }: Build): Promise<void> {
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

/** node-pre-gyp finds node-gyp by itself: npm's, by the variable that npm sets or beside this Node. */
function findPreGyp(packageFolder: string): string {
  return createRequire(join(packageFolder, "package.json")).resolve("@mapbox/node-pre-gyp/bin/node-pre-gyp");
}

async function hasBinding(root: string): Promise<boolean> {
  const folders = await readdir(join(root, "lib")).catch(() => []);
  return folders.some((folder) => existsSync(join(root, "lib", folder, "tfjs_binding.node")));
}
