import { spawn } from "node:child_process";
import { once } from "node:events";

const maxOutputLength = 200_000;

interface Command {
  command: string;
  args: readonly string[];
  folder?: string;
  environment?: NodeJS.ProcessEnv;
  signal: AbortSignal;
  /** Standard output goes to the terminal, where there is one: for programs with a progress bar of their own. */
  showsOutput?: boolean;
}

export interface Outcome {
  hasSucceeded: boolean;
  /** Exit code, signal, or the code of the error that kept it from starting. */
  ending: string;
  /** What it wrote, the end of it. */
  output: string;
}

/** Runs a program to its end, in a process group of its own that an abort ends whole. */
export async function runCommand({ command, args, signal, ...options }: Command): Promise<Outcome> {
  signal.throwIfAborted();
  const isShown = options.showsOutput === true && process.stdout.isTTY;
  const child = spawn(command, [...args], {
    cwd: options.folder,
    env: options.environment ?? process.env,
    detached: true,
    stdio: ["ignore", isShown ? "inherit" : "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk) => {
      output = `${output}${chunk}`.slice(-maxOutputLength);
    });
  const endGroup = () => killGroup(child.pid);
  signal.addEventListener("abort", endGroup, { once: true });
  const [code, killedBy]: unknown[] = await once(child, "close").catch((error: unknown) => [codeOf(error)]);
  signal.removeEventListener("abort", endGroup);
  signal.throwIfAborted();
  return { hasSucceeded: code === 0, ending: String(killedBy ?? code), output };
}

/** The first line of some output that speaks of an error, or else its last: a sentence has room for one. */
export function complaintOf(output: string): string {
  const lines = output.trim().split("\n");
  return (lines.find((line) => /\berror:/i.test(line)) ?? lines.at(-1))?.trim() || "it said nothing";
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGTERM");
  } catch {
    // ESRCH: it has ended
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
