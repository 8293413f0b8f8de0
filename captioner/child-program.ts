import { createRequire } from "node:module";
import { extname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** `.ts` in a clone, which tsx loads; `.js` where it was built. */
export const programEnding = extname(fileURLToPath(import.meta.url));

/** What Node must be told to run a program of that ending. */
export function loaderArguments(): string[] {
  if (programEnding !== ".ts") return [];
  return ["--import", pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href];
}
