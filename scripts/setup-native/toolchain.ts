import { accessSync, constants, existsSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

/** Path of a program that the shell would find. */
export function findProgram(name: string): string | undefined {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/** Throws a sentence that names what is missing of what node-gyp builds with. */
export function expectToolchain(): void {
  const programs = [...(process.env.CXX === undefined ? ["g++"] : []), "make", "python3"];
  const missing = programs.filter((program) => findProgram(program) === undefined);
  if (missing.length > 0)
    throw new Error(
      `expected ${programs.join(", ")} to build the binding with, found no ${missing.join(" and no ")}: install them (Debian, Ubuntu: apt-get install g++ make python3)`,
    );
}

/** Where the running Node's own headers lie, for node-gyp's `nodedir`; without them node-gyp fetches some. */
export function findNodeHeaders(executable = process.execPath): string | undefined {
  const prefix = dirname(dirname(realpathSync(executable)));
  return existsSync(join(prefix, "include/node/node_api.h")) ? prefix : undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
