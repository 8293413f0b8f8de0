import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

export const repository = fileURLToPath(new URL("../..", import.meta.url));

/** How long a group has to end by itself; the service drains for less. */
const patienceMs = 6_000;
/** How long its last words may still be in the pipe when a program has ended. */
const lastWordsMs = 100;
/** What is kept of its complaints, to say why it ended. */
const maxComplaintLength = 2_000;

interface GroupCommand {
  /** How it is called in messages. */
  name: string;
  /** Run by this Node. */
  args: string[];
  environment: Record<string, string>;
}

/** A Node program and whatever it starts, as a process group of their own, so that no grandchild outlives it. */
export class ProcessGroup {
  /** Resolves, saying why, when the program has ended and nobody stopped it. */
  readonly died: Promise<Error>;
  readonly #child: ChildProcessByStdio<null, null, Readable>;
  readonly #exited: Promise<unknown>;
  readonly #kill = () => this.#signal("SIGKILL");
  #isStopping = false;

  constructor({ name, args, environment }: GroupCommand) {
    this.#child = spawn(process.execPath, args, {
      cwd: repository,
      detached: true, // its own group: Ctrl-C reaches us alone, and we end it in order
      env: { ...process.env, ...environment },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let complaint = "";
    this.#child.stderr.on("data", (chunk) => {
      complaint = `${complaint}${chunk}`.slice(-maxComplaintLength);
    });
    this.#exited = once(this.#child, "exit"); // not "close": what it started may hold on to its pipes
    this.died = new Promise((resolve) => {
      this.#child.once("exit", (code, signal) => {
        if (this.#isStopping) return;
        const explain = () =>
          resolve(new Error(`${name} ended with ${signal ?? code}: ${complaint.trim() || "it did not say why"}`));
        setTimeout(explain, lastWordsMs);
      });
    });
    process.once("exit", this.#kill); // if we end in a hurry, so does it
  }

  /** Ends the whole group: with SIGTERM, and after a while with SIGKILL. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#signal("SIGTERM");
    const impatience = setTimeout(this.#kill, patienceMs);
    await this.#exited;
    clearTimeout(impatience);
    this.#kill(); // whatever the program left behind
    process.off("exit", this.#kill);
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // ESRCH: nobody is left in the group
    }
  }
}
