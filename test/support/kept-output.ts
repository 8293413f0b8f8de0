import type { ChildProcess } from "node:child_process";
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findLeaks } from "./leaks.ts";

/** Names the folder to the processes that run the tests. */
const variable = "KEPT_OUTPUT";

/** Makes the folder of a run, for all processes that it will have. */
export function beginKeeping(): void {
  process.env[variable] = mkdtempSync(join(tmpdir(), "kept-output-"));
}

/** Keeps what a program writes, for the check at the end of the run. */
export function keepOutput(child: ChildProcess, name: string): void {
  const folder = process.env[variable];
  if (folder === undefined) return;
  const path = join(folder, `${name.replaceAll(" ", "-")}-${child.pid}.log`);
  const keep = (chunk: Buffer) => {
    if (existsSync(folder)) appendFileSync(path, chunk); // what all tests share ends after the check
  };
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", keep);
}

/** Names what of the kept gives something away. The folder goes, unless there is something to look into. */
export function endKeeping(): string[] {
  const folder = process.env[variable];
  if (folder === undefined) return [];
  const texts = readdirSync(folder).map(
    (name) => [join(folder, name), readFileSync(join(folder, name), "latin1")] as const,
  );
  const leaks = texts.flatMap(([path, text]) => findLeaks(text).map((what) => `${path} holds ${what}`));
  if (leaks.length === 0) rmSync(folder, { recursive: true });
  return leaks;
}
