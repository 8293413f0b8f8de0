import { createRequire } from "node:module";
import { extname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The extension of programs that children run: `.ts` in a clone, where tsx loads them, `.js` in a build. */
export const programExtension = extname(fileURLToPath(import.meta.url));

/** Arguments with which Node runs a program of that extension. */
export function loaderArguments(): string[] {
  if (programExtension !== ".ts") return [];
  return ["--import", pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href];
}

/**
 * Signals that ask a program to end, which its children ignore, so that it can finish: from a host (SIGTERM), a terminal
 * (SIGINT, SIGQUIT, and SIGHUP as it closes), restarters (SIGUSR2), a container's or machine's power-off (SIGPWR), a batch
 * system whose time is up (SIGXCPU) and Windows (SIGBREAK). SIGUSR1 is Node's own and opens its debugger.
 */
export const endingSignals = [
  "SIGTERM",
  "SIGINT",
  "SIGQUIT",
  "SIGHUP",
  "SIGUSR2",
  "SIGPWR",
  "SIGXCPU",
  "SIGBREAK",
] as const satisfies NodeJS.Signals[];
