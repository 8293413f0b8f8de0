import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
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

/**
 * `package.json` of the built package: what it shares with the clone's, and of the workspaces' dependencies those that the programs
 * import, at the same versions. Throws where they import something that no workspace names.
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
