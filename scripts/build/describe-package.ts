import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { promisify } from "node:util";
import * as z from "zod";
import type { BuiltFile } from "../page/write-folder.ts";
import { repository } from "../repository.ts";
import { commands } from "./bundle-programs.ts";
import { describeSystem, type RuntimeSystem, runtimePackage } from "./bundle-runtime.ts";

const rootSchema = z.object({
  name: z.string(),
  version: z.string(),
  description: z.string(),
  license: z.string(),
  type: z.literal("module"),
  engines: z.record(z.string(), z.string()),
  workspaces: z.array(z.string()),
});
const workspaceSchema = z.object({ dependencies: z.record(z.string(), z.string()).default({}) });

/** What can be imported, by its path in the package: the source of its types, and its program. */
const entries = {
  ".": { types: "cli/create-captioner.d.ts", program: "create-captioner" },
  "./client": { types: "shared/client-entry.d.ts", program: "client" },
};
/**
 * Packages for training alone, 100 MB, and for traces, 25 MB: who wants either installs them, and the program says so.
 * OpenTelemetry's API is no such package, since the metrics need it as well.
 */
const optionalPackages = /^@tensorflow\/|^@opentelemetry\/(?!api$)/;
const relativeImport = /(?<=from ")(\.[^"]+)\.ts(?=")/g;

interface PackageParts {
  packages: ReadonlySet<string>;
  isServiceAlone: boolean;
  /** The system whose ONNX Runtime is in the package; undefined where it is a dependency, for all systems. */
  system: RuntimeSystem | undefined;
}

/**
 * `package.json` of the built package: what it shares with the clone's, and of the workspaces' dependencies those that the programs
 * import, at the same versions. Throws if they import something that no workspace names.
 */
export async function describePackage({ packages, isServiceAlone, system }: PackageParts): Promise<string> {
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
  const versionsOf = (names: string[]) => Object.fromEntries(names.map((name) => [name, versionOf(name, versions)]));
  const imported = [...packages].sort();
  if (isServiceAlone) return toJson({ ...shared, private: true, dependencies: versionsOf(imported) });
  const optional = imported.filter((name) => optionalPackages.test(name));
  return toJson({
    ...shared,
    ...(system && { ...describeSystem(system), bundleDependencies: [runtimePackage] }),
    bin: mapValues(commands, (program) => `lib/${program}.js`),
    exports: mapValues(entries, ({ types, program }) => ({
      types: `./types/${types}`,
      default: `./lib/${program}.js`,
    })),
    files: ["lib", "types", "models", "docs", "NOTICE"],
    dependencies: versionsOf(imported.filter((name) => !optional.includes(name))),
    peerDependencies: versionsOf(optional),
    peerDependenciesMeta: Object.fromEntries(optional.map((name) => [name, { optional: true }])),
  });
}

function mapValues<Value, Mapped>(
  record: Record<string, Value>,
  map: (value: Value) => Mapped,
): Record<string, Mapped> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}

function toJson(manifest: unknown): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

function versionOf(name: string, versions: ReadonlyMap<string, string>): string {
  const version = versions.get(name);
  if (version !== undefined) return version;
  throw new Error(`the programs import ${name}: expected it among the dependencies of a workspace`);
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(join(repository, path), "utf8"));
}

/** Declarations of the entries and of what it is declared in terms of, under the paths of their sources. */
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
  const wanted = Object.values(entries).map(({ types }) => types);
  for (const path of wanted) {
    if (files.has(path)) continue;
    const text = await readFile(join(folder, path), "utf8");
    files.set(path, { path, content: text.replaceAll(relativeImport, "$1.js") });
    for (const [, name] of text.matchAll(relativeImport)) wanted.push(posix.join(posix.dirname(path), `${name}.d.ts`));
  }
  return [...files.values()];
}
