import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { Argument, Command } from "commander";
import { runProgram } from "../terminal/run-program.ts";
import { bundlePrograms } from "./build/bundle-programs.ts";
import { declareTypes, describePackage } from "./build/describe-package.ts";
import { buildPage } from "./page/build-page.ts";
import { writeFolder } from "./page/write-folder.ts";
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
  .exitOverride()
  .action(async (part: Part | undefined) => {
    if (part !== "page") await buildPackage({ isServiceAlone: part === "service" });
    if (part !== "service") await buildPage();
  });

await runProgram(program);

/** Builds the package into `dist`: programs, the model, and, unless it is the service alone, types and docs. */
async function buildPackage({ isServiceAlone }: { isServiceAlone: boolean }): Promise<void> {
  const { files, packages } = await bundlePrograms({ isServiceAlone });
  await writeFolder(join(dist, "lib"), files);
  await copyFolder("models/default");
  const manifest = await describePackage({ packages, isServiceAlone });
  if (!isServiceAlone) {
    await writeFolder(join(dist, "types"), await declareTypes());
    await copyFolder("docs");
  }
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
