import { type Command, CommanderError } from "commander";
import { describeFileError } from "../files/file-error.ts";
import { terminalLines, terminalText } from "../shared/terminal-text.ts";

/**
 * Runs a command line to its end and sets the exit code: 0 done, or nobody reads the output any more; 1 something failed
 * (said in one sentence on standard error); 2 wrong usage; 130 interrupted.
 */
export async function runProgram(program: Command): Promise<void> {
  process.stdout.on("error", endQuietly);
  process.stderr.on("error", () => undefined); // whoever does not listen misses what is told, and the work goes on
  disarmErrors(program);
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = exitCodeOf(error);
    if (error instanceof Interrupted) process.stdout.write("", () => process.exit()); // a model may still be starting
    if (process.exitCode !== 1) return; // commander has said why, or nobody needs to be told
    const message = describeFileError(error) ?? (error instanceof Error ? error.message : String(error));
    process.stderr.write(`${terminalLines(message).replaceAll("\n", "\n  ")}\n`); // no line of it passes for one of its own
  }
}

/** What commander says of an argument names it, and a pattern of the shell may have made a strange name one. */
function disarmErrors(command: Command): void {
  command.configureOutput({
    outputError: (text, write) => {
      const [error = "", suggestion] = text.trimEnd().split(/\n(?=\(Did you mean [^\n]*\)$)/);
      write(`${terminalText(error)}\n${suggestion === undefined ? "" : `${terminalText(suggestion)}\n`}`);
    },
  });
  for (const subcommand of command.commands) disarmErrors(subcommand);
}

/** Whoever read our output wants no more of it (`| head -1`), or it cannot be written. */
function endQuietly(error: NodeJS.ErrnoException): never {
  if (error.code === "EPIPE") process.exit(0);
  process.stderr.write(`standard output cannot be written: ${error.message}\n`);
  process.exit(1);
}

function exitCodeOf(error: unknown): 0 | 1 | 2 | 130 {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return error instanceof Interrupted ? 130 : 1;
}

/** Why a run ends that somebody interrupted. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** npm passes on each Ctrl-C that the terminal has sent us already: a repeat this soon is the same one. */
const repeatMs = 500;

/**
 * Aborts at Ctrl-C and its like. Asked a second time, or where what is under way takes longer than `withinMs`, this process
 * ends at once, and what it started with it.
 */
export function endOnSignal(ending: AbortController, { withinMs }: { withinMs?: number } = {}): void {
  let firstMs: number | undefined;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) {
    process.on(signal, () => {
      firstMs ??= Date.now();
      ending.abort(new Interrupted(`interrupted by ${signal}`));
      if (withinMs !== undefined) setTimeout(() => process.exit(130), withinMs).unref();
      if (Date.now() - firstMs > repeatMs) process.exit(130);
    });
  }
}

/** Resolves when the signal aborts. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
