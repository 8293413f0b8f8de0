import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { writeFolder } from "../page/write-folder.ts";
import { repository } from "../repository.ts";
import { bundlePrograms } from "./bundle-programs.ts";
import { declareTypes } from "./declare-types.ts";
import { describePackage } from "./describe-package.ts";

const dist = join(repository, "dist");

/** Builds the package into `dist`: programs, the model, and where it is to be installed, types and docs. */
export async function buildPackage({ isServiceAlone }: { isServiceAlone: boolean }): Promise<void> {
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
