import { spawn } from "node:child_process";
import { once } from "node:events";

const maxOutputLength = 200_000;

interface Command {
  command: string;
  args: readonly string[];
  folder?: string;
  environment?: NodeJS.ProcessEnv;
  signal: AbortSignal;
  /** Sends standard output to the terminal, if there is one: for programs with a progress bar. */
  showsOutput?: boolean;
}

export interface Outcome {
  hasSucceeded: boolean;
  /** Exit code, signal, or code of the error that prevented the start. */
  ending: string;
  /** The end of its output. */
  output: string;
}

/** Runs a program to its end, in a process group that an abort ends as a whole. */
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

/** Picks the line of an output that fits into a message: the first that mentions an error, else the last. */
export function complaintOf(output: string): string {
  const lines = output.trim().split("\n");
  return (lines.find((line) => /\berror:/i.test(line)) ?? lines.at(-1))?.trim() || "it said nothing";
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGTERM");
  } catch {
    // ESRCH: it has already ended
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
