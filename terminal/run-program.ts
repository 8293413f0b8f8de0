import { type Command, CommanderError, Help, type Option } from "commander";
import { describeFileError } from "../files/file-error.ts";
import { terminalLines, terminalText } from "../shared/terminal-text.ts";

/**
 * Runs a command line to its end and sets the exit code: 0 for success, or when nobody reads the output any more; 1 for a
 * failure, which one sentence on standard error reports; 2 for wrong usage; 130 for an interruption.
 */
export async function runProgram(program: Command): Promise<void> {
  process.stdout.on("error", endQuietly);
  process.stderr.on("error", () => undefined); // the work continues when nobody reads the messages
  prepareTexts(program);
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = exitCodeOf(error);
    if (error instanceof Interrupted) process.stdout.write("", () => process.exit()); // a model may still be starting
    if (process.exitCode !== 1) return; // commander has reported it, or there is nothing to report
    const message = describeFileError(error) ?? (error instanceof Error ? error.message : String(error));
    process.stderr.write(`${terminalLines(message).replaceAll("\n", "\n  ")}\n`); // no line of the message looks like one of the program
  }
}

/**
 * Escapes commander's error messages: they repeat arguments, which may be hostile file names that the shell expanded. Leaves
 * out of the help that switches are off unless they are given.
 */
function prepareTexts(command: Command): void {
  command.configureOutput({
    outputError: (text, write) => {
      const [error = "", suggestion] = text.trimEnd().split(/\n(?=\(Did you mean [^\n]*\)$)/);
      write(`${terminalText(error)}\n${suggestion === undefined ? "" : `${terminalText(suggestion)}\n`}`);
    },
  });
  command.configureHelp({
    optionDescription: (option: Option) => new Help().optionDescription(option).replace(/ \(default: false\)$/, ""),
  });
  for (const subcommand of command.commands) prepareTexts(subcommand);
}

/** Ends the program when the reader of its output has had enough (`| head -1`), or when it cannot be written. */
function endQuietly(error: NodeJS.ErrnoException): never {
  if (error.code === "EPIPE") process.exit(0);
  process.stderr.write(`standard output cannot be written: ${error.message}\n`);
  process.exit(1);
}

function exitCodeOf(error: unknown): 0 | 1 | 2 | 130 {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return error instanceof Interrupted ? 130 : 1;
}

/** The reason why an interrupted run ends. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** npm repeats each Ctrl-C that the terminal has sent already: a signal this soon after the first is the same one. */
const repeatMs = 500;

/**
 * Aborts the controller at Ctrl-C and other signals to end. At a second signal, or if the work in hand takes longer than
 * `withinMs`, this process and those it started end at once.
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
