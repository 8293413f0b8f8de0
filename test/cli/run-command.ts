import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { tinyBundle } from "../fixtures/bundles.ts";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** What starts the command, for whoever spawns it. */
export const commandLine = ["--import", import.meta.resolve("tsx"), join(root, "cli/main.ts")];

export interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the command as a person does, in a process of its own, in a folder. */
export function edgeCaptionIn(cwd: string, ...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(process.execPath, [...commandLine, ...args], { cwd, maxBuffer: 2 ** 28 }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
    });
  });
}

export function edgeCaption(...args: string[]): Promise<Run> {
  return edgeCaptionIn(root, ...args);
}

/** Captions with the tiny bundle, which takes a millisecond a photo. */
export function captionTiny(cwd: string, ...args: string[]): Promise<Run> {
  return edgeCaptionIn(cwd, "caption", "--model-dir", tinyBundle, ...args);
}
