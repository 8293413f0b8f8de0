import { setTimeout } from "node:timers/promises";
import { type GroupCommand, ProcessGroup } from "../start/process-group.ts";

/** Hosts wait a moment, too, and longer after each failure; here always this long. */
const pauseMs = 1_000;

/** A program that is started again whenever it ends, as a host does. */
export class KeptProcess {
  /** Why it ended, each time, in its own last words. */
  readonly endings: string[] = [];
  readonly #program: GroupCommand;
  #group: ProcessGroup;
  #isStopping = false;

  constructor(program: GroupCommand) {
    this.#program = program;
    this.#group = this.#start();
  }

  /** Of the program that runs, or ran last. */
  get pid(): number {
    return this.#group.pid;
  }

  /** To it and all that it has started. */
  signal(signal: NodeJS.Signals): void {
    this.#group.signal(signal);
  }

  /** Ends it for good: with SIGTERM first. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#group.stop();
  }

  #start(): ProcessGroup {
    const group = new ProcessGroup(this.#program);
    void group.died.then((reason) => this.#startAnew(group, reason));
    return group;
  }

  async #startAnew(group: ProcessGroup, reason: Error): Promise<void> {
    this.endings.push(reason.message);
    await group.stop(); // whatever it left behind
    await setTimeout(pauseMs);
    if (!this.#isStopping) this.#group = this.#start();
  }
}
