import { execFile } from "node:child_process";
import { repository } from "../../scripts/repository.ts";

export interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs Node to its end, in the repository unless told, and gives what it wrote; it may fail. */
export function runNode(
  args: readonly string[],
  { cwd = repository, env }: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Run> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd, env, maxBuffer: 2 ** 28 }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
    });
  });
}
