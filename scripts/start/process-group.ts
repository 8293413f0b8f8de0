import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { stripVTControlCharacters } from "node:util";
import { repository } from "../repository.ts";

/** How long a group has to end by itself; the service drains for less. */
const stopLimitMs = 6_000;
/** How long its last words may still be in the pipe when a program has ended. */
const lastWordsMs = 100;
/** How much of its standard error is kept, to say why it ended. */
const maxComplaintLength = 2_000;

export interface GroupCommand {
  /** How it is called in messages. */
  name: string;
  /** What runs it, if not this Node. */
  program?: string;
  args: string[];
  environment: Record<string, string>;
  /** Gets all that it writes; without it, its standard output is dropped. */
  listen?: Listener | undefined;
}

/** Gets a program once it runs, to read what it writes on both of its streams. */
export type Listener = (child: ChildProcess, name: string) => void;

/** A program and whatever it starts, as a process group of their own, so that no grandchild outlives it. */
export class ProcessGroup {
  /** Resolves, saying why, when the program has ended and nobody stopped it. */
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
    process.once("exit", this.#kill); // if we end in a hurry, so does it
  }

  /** Ends the whole group: with SIGTERM, and after a while with SIGKILL. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.signal("SIGTERM");
    const killTimer = setTimeout(this.#kill, stopLimitMs);
    await this.#exited;
    clearTimeout(killTimer);
    this.#kill(); // whatever the program left behind
    process.off("exit", this.#kill);
  }

  /** Of the program; 0 if it could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Sends the whole group a signal, if anybody is left in it. */
  signal(signal: NodeJS.Signals): void {
    if (this.pid === 0) return; // which would be our own group
    try {
      process.kill(-this.pid, signal);
    } catch {
      // ESRCH: nobody is left in the group
    }
  }
}
