import { symlink } from "node:fs/promises";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { bundlePrograms } from "../../scripts/build/bundle-programs.ts";
import { describePackage } from "../../scripts/build/describe-package.ts";
import { writeFolder } from "../../scripts/page/write-folder.ts";
import { repository } from "../../scripts/repository.ts";

const folder = join(repository, "node_modules/.cache/tests/package");

/** The path of a program as the package has it, which starts in half the time that its sources take. */
export function builtProgram(name: "edge-caption" | "service"): string {
  return join(folder, `lib/${name}.js`);
}

/** Builds the programs that tests start, and again before tests that are run for a change. */
export default async function setup(project: TestProject): Promise<void> {
  await buildPrograms();
  project.onTestsRerun(buildPrograms);
}

async function buildPrograms(): Promise<void> {
  const { files, packages } = await bundlePrograms({ isServiceAlone: false });
  const manifest = await describePackage({ packages, isServiceAlone: false, system: undefined });
  const programs = files.map(({ path, content }) => ({ path: `lib/${path}`, content }));
  await writeFolder(folder, [...programs, { path: "package.json", content: manifest }]);
  await symlink(join(repository, "models"), join(folder, "models"), "dir").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}
