import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import * as z from "zod";
import type { BuiltFile } from "../page/write-folder.ts";
import { repository } from "../repository.ts";

/** ONNX Runtime's npm package, which holds the libraries of all systems. */
export const runtimePackage = "onnxruntime-node";

/** Systems that it has a library for, as `process.platform` and `process.arch` name them. */
export const runtimeSystems = ["linux-x64", "linux-arm64", "darwin-arm64", "win32-x64", "win32-arm64"] as const;

export type RuntimeSystem = (typeof runtimeSystems)[number];

const manifestSchema = z.looseObject({ dependencies: z.record(z.string(), z.string()).optional() });
/** What its programs import; its other dependencies are its install script's, which fetches CUDA libraries. */
const importedPackage = "onnxruntime-common";

/** Returns `os` and `cpu` as package.json has them. */
export function describeSystem(system: RuntimeSystem): { os: [string]; cpu: [string] } {
  const [os = "", cpu = ""] = system.split("-");
  return { os: [os], cpu: [cpu] };
}

/**
 * The files of ONNX Runtime's packages for one system, without install scripts, as they stand in `node_modules`. npm has no
 * way to leave the other systems' libraries out of a package.
 */
export async function trimRuntime(system: RuntimeSystem): Promise<BuiltFile[]> {
  const versions = await readdir(join(packageFolder(runtimePackage), "bin"));
  const { os, cpu } = describeSystem(system);
  const libraries = versions.map((version) => join("bin", version, ...os, ...cpu));
  const runtime = await copyPackage(runtimePackage, {
    folders: ["dist", ...libraries],
    manifest: { os, cpu, dependencies: await dependenciesOf(runtimePackage, [importedPackage]) },
  });
  return [...runtime, ...(await copyPackage(importedPackage, { folders: ["dist"], manifest: {} }))];
}

async function dependenciesOf(name: string, wanted: readonly string[]): Promise<Record<string, string>> {
  const { dependencies = {} } = await readManifest(name);
  return Object.fromEntries(Object.entries(dependencies).filter(([dependency]) => wanted.includes(dependency)));
}

async function copyPackage(
  name: string,
  { folders, manifest }: { folders: readonly string[]; manifest: object },
): Promise<BuiltFile[]> {
  const { scripts: _, devDependencies: __, ...ownManifest } = await readManifest(name);
  const text = `${JSON.stringify({ ...ownManifest, ...manifest }, null, 2)}\n`;
  const readme = join(packageFolder(name), "README.md");
  const files = [
    readme,
    ...(await Promise.all(folders.map((folder) => filesIn(join(packageFolder(name), folder))))).flat(),
  ];
  const copies = files.map(async (file) => ({
    path: relative(join(repository, "node_modules"), file),
    content: await readFile(file),
  }));
  return [{ path: join(name, "package.json"), content: text }, ...(await Promise.all(copies))];
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function readManifest(name: string): Promise<z.infer<typeof manifestSchema>> {
  return manifestSchema.parse(JSON.parse(await readFile(join(packageFolder(name), "package.json"), "utf8")));
}

function packageFolder(name: string): string {
  return join(repository, "node_modules", name);
}
