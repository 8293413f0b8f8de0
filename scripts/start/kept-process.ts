import { setTimeout } from "node:timers/promises";
import { type GroupCommand, ProcessGroup } from "./process-group.ts";

/** An end sooner than this after a start counts as one at once, which another start is unlikely to mend. */
const atOnceMs = 10_000;

interface Keeping {
  /** Pause before the next start, by the number of consecutive ends at once. */
  pauseMs: (endsAtOnce: number) => number;
  /** Number of consecutive ends at once after which the program is given up. */
  maxEndsAtOnce: number;
  /** Called with the reason for an end, before the next start. */
  onRestart?: (reason: Error) => void;
}

/** A program that is started again whenever it ends, as a host does. */
export class KeptProcess {
  /** Reasons for all ends so far, with the end of what the program wrote. */
  readonly endings: string[] = [];
  /** Resolves with the reason when the program is given up. */
  readonly givenUp: Promise<Error>;
  readonly #program: GroupCommand;
  readonly #keeping: Keeping;
  readonly #giveUp: (reason: Error) => void;
  readonly #stopping = new AbortController();
  #group: ProcessGroup;
  #startedAtMs = 0;
  #endsAtOnce = 0;

  constructor(program: GroupCommand, keeping: Keeping) {
    this.#program = program;
    this.#keeping = keeping;
    let giveUp: (reason: Error) => void = () => undefined;
    this.givenUp = new Promise((resolve) => {
      giveUp = resolve;
    });
    this.#giveUp = giveUp;
    this.#group = this.#start();
  }

  /** Process id of the program that runs, or ran last. */
  get pid(): number {
    return this.#group.pid;
  }

  /** Signals the program and all that it has started. */
  signal(signal: NodeJS.Signals): void {
    this.#group.signal(signal);
  }

  /** Ends the program for good: with SIGTERM first. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#group.stop();
  }

  #start(): ProcessGroup {
    const group = new ProcessGroup(this.#program);
    this.#startedAtMs = performance.now();
    void group.died.then((reason) => this.#startAnew(group, reason));
    return group;
  }

  async #startAnew(group: ProcessGroup, reason: Error): Promise<void> {
    const { pauseMs, maxEndsAtOnce, onRestart } = this.#keeping;
    const { signal } = this.#stopping;
    this.endings.push(reason.message);
    await group.stop(); // what it left
    const isAtOnce = performance.now() - this.#startedAtMs < atOnceMs;
    this.#endsAtOnce = isAtOnce ? this.#endsAtOnce + 1 : 0;
    if (this.#endsAtOnce >= maxEndsAtOnce) return this.#giveUp(reason);
    if (!signal.aborted) onRestart?.(reason);
    await setTimeout(pauseMs(this.#endsAtOnce), undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) this.#group = this.#start();
  }
}
