import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { Argument, Command, Option } from "commander";
import { runProgram } from "../terminal/run-program.ts";
import { bundlePrograms } from "./build/bundle-programs.ts";
import { type RuntimeSystem, runtimeSystems, trimRuntime } from "./build/bundle-runtime.ts";
import { declareTypes, describePackage } from "./build/describe-package.ts";
import { buildPage } from "./page/build-page.ts";
import { type BuiltFile, writeFolder } from "./page/write-folder.ts";
import { repository } from "./repository.ts";

const dist = join(repository, "dist");

type Part = "service" | "page";

/** `npm run build`. Exit codes: 0 built, 1 something failed, 2 wrong usage. Wrangler builds the page with it before `dev` and `deploy`. */
const program = new Command("npm run build --")
  .description("Makes dist/, a package that plain Node runs, and the edge's page.")
  .addArgument(
    new Argument("[part]", "service: dist/ with what its container needs; page: the page alone").choices([
      "service",
      "page",
    ]),
  )
  .addOption(
    new Option(
      "--system <name>",
      "whose ONNX Runtime the package contains (default: this machine's); with any it is a dependency, 288 MB",
    ).choices([...runtimeSystems, "any"]),
  )
  .exitOverride()
  .action(async (part: Part | undefined, { system }: { system?: RuntimeSystem | "any" }) => {
    if (part === "service") await buildService();
    if (part === undefined) await buildPackage(system === undefined ? thisSystem() : withoutAny(system));
    if (part !== "service") await buildPage();
  });

await runProgram(program);

/** This machine's system; undefined if ONNX Runtime has no library for it. */
function thisSystem(): RuntimeSystem | undefined {
  return runtimeSystems.find((system) => system === `${process.platform}-${process.arch}`);
}

function withoutAny(system: RuntimeSystem | "any"): RuntimeSystem | undefined {
  return system === "any" ? undefined : system;
}

/** Builds into `dist` what a container of the service needs: its programs and the model. */
async function buildService(): Promise<void> {
  const { files, packages } = await bundlePrograms({ isServiceAlone: true });
  await writeProgramsWith(files, await describePackage({ packages, isServiceAlone: true, system: undefined }));
}

/** Builds the package into `dist`: programs, the model, types, docs and a system's ONNX Runtime. */
async function buildPackage(system: RuntimeSystem | undefined): Promise<void> {
  const { files, packages } = await bundlePrograms({ isServiceAlone: false });
  await writeFolder(join(dist, "types"), await declareTypes());
  await copyFolder("docs");
  await writeFolder(join(dist, "node_modules"), system === undefined ? [] : await trimRuntime(system));
  await writeProgramsWith(files, await describePackage({ packages, isServiceAlone: false, system }));
}

async function writeProgramsWith(files: readonly BuiltFile[], manifest: string): Promise<void> {
  await writeFolder(join(dist, "lib"), files);
  await copyFolder("models/default");
  for (const name of ["README.md", "LICENSE", "NOTICE"]) await copyFile(join(repository, name), join(dist, name));
  await writeFile(join(dist, "package.json"), manifest);
}

async function copyFolder(path: string): Promise<void> {
  const source = join(repository, path);
  const entries = await readdir(source, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const copies = files.map(async (file) => ({ path: relative(source, file), content: await readFile(file) }));
  await writeFolder(join(dist, path), await Promise.all(copies));
}
