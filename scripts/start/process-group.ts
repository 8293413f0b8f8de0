import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { stripVTControlCharacters } from "node:util";
import { repository } from "../repository.ts";

/** Time for a group to end by itself; the service drains for less. */
const stopLimitMs = 6_000;
/** Time for which a program's last output may still be in the pipe after its end. */
const lastWordsMs = 100;
/** Length of the standard error that is kept, to report why the program ended. */
const maxComplaintLength = 2_000;

export interface GroupCommand {
  /** Name in messages. */
  name: string;
  /** Path of the program; undefined: this Node. */
  program?: string;
  args: string[];
  environment: Record<string, string>;
  /** Receives all that the program writes; without a listener its standard output is dropped. */
  listen?: Listener | undefined;
}

/** Receives a running program, to read both of its streams. */
export type Listener = (child: ChildProcess, name: string) => void;

/** A program and all that it starts, in a process group of their own, so that no grandchild outlives it. */
export class ProcessGroup {
  /** Resolves with the reason when the program ends and nobody stopped it. */
  readonly died: Promise<Error>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #kill = () => this.signal("SIGKILL");
  #isStopping = false;

  constructor({ name, program = process.execPath, args, environment, listen }: GroupCommand) {
    this.#child = spawn(program, args, {
      cwd: repository,
      detached: true, // its own group: Ctrl-C reaches us alone, and we end it in order
      env: { ...process.env, ...environment },
      stdio: ["ignore", listen === undefined ? "ignore" : "pipe", "pipe"],
    });
    listen?.(this.#child, name);
    let complaint = "";
    this.#child.stderr?.on("data", (chunk) => {
      complaint = `${complaint}${chunk}`.slice(-maxComplaintLength);
    });
    this.#exited = once(this.#child, "exit"); // not "close": what it started may hold on to its pipes
    this.died = new Promise((resolve) => {
      this.#child.once("exit", (code, signal) => {
        if (this.#isStopping) return;
        const explain = () =>
          resolve(
            new Error(
              `${name} ended with ${signal ?? code}: ${stripVTControlCharacters(complaint).trim() || "it did not say why"}`,
            ),
          );
        setTimeout(explain, lastWordsMs);
      });
    });
    process.once("exit", this.#kill); // if this process exits early, so does the group
  }

  /** Ends the whole group: with SIGTERM, then with SIGKILL. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.signal("SIGTERM");
    const killTimer = setTimeout(this.#kill, stopLimitMs);
    await this.#exited;
    clearTimeout(killTimer);
    this.#kill(); // what the program left
    process.off("exit", this.#kill);
  }

  /** Process id of the program; 0 if it could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Sends a signal to the whole group, if any process is left in it. */
  signal(signal: NodeJS.Signals): void {
    if (this.pid === 0) return; // which would be our own group
    try {
      process.kill(-this.pid, signal);
    } catch {
      // ESRCH: no process is left in the group
    }
  }
}
