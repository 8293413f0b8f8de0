import { Presets, SingleBar } from "cli-progress";
import { terminalText } from "../shared/terminal-text.ts";

/** Time between two plain lines. */
const lineEveryMs = 10_000;

export interface Progress {
  advance(count?: number): void;
  /** Counts what took no work, so that it does not change the rate. */
  skip(count?: number): void;
  /** Sets how much there is in all, where more is found meanwhile. */
  expect(total: number): void;
  /** Shows the final state. Call it once, however the work ended. */
  end(): void;
}

interface Work {
  total: number;
  /** Name of what is counted, in the plural. */
  unit: string;
  /** Number that an earlier run has done; the rate is counted from there. */
  done?: number;
  /** Returns further text to show, like `3 failed`. */
  more?: () => string;
}

/** Shows the progress of work, with rate and time left: a bar on a terminal, a plain line now and then elsewhere. */
export function showProgress(what: string, work: Work): Progress {
  return process.stderr.isTTY ? showBar(what, new Pace(work)) : showLines(what, new Pace(work));
}

/** Clears the line that a progress bar is in; the bar is drawn again below. */
const clearLine = "\r\u001B[K";

/** Writes one line about what is being done to standard error. Results go to standard output. */
export function say(line: string): void {
  process.stderr.write(`${process.stderr.isTTY ? clearLine : ""}${terminalText(line)}\n`);
}

function showBar(what: string, pace: Pace): Progress {
  const options = {
    format: `${what} [{bar}] {pace}`,
    stream: process.stderr,
    barsize: 24,
    linewrap: null,
    gracefulExit: false, // it would catch the first Ctrl-C and let the work continue
  };
  const bar = new SingleBar(options, Presets.shades_classic);
  bar.start(pace.total, pace.done, { pace: pace.describe() });
  return {
    advance(count = 1) {
      pace.done += count;
      bar.update(pace.done, { pace: pace.describe() });
    },
    skip(count = 1) {
      pace.skip(count);
      bar.update(pace.done, { pace: pace.describe() });
    },
    expect(total) {
      pace.total = total;
      bar.setTotal(total);
    },
    end: () => bar.stop(),
  };
}

function showLines(what: string, pace: Pace): Progress {
  let saidMs = Date.now();
  const showLine = () => {
    say(`${what}: ${pace.describe()}`);
    saidMs = Date.now();
  };
  return {
    advance(count = 1) {
      pace.done += count;
      if (Date.now() - saidMs >= lineEveryMs) showLine();
    },
    skip(count = 1) {
      pace.skip(count);
      if (Date.now() - saidMs >= lineEveryMs) showLine();
    },
    expect(total) {
      pace.total = total;
    },
    end: showLine,
  };
}

class Pace {
  total: number;
  done: number;
  readonly #unit: string;
  readonly #more: () => string;
  #doneBefore: number;
  readonly #begunMs = Date.now();

  constructor({ total, unit, done = 0, more = () => "" }: Work) {
    this.total = total;
    this.done = done;
    this.#unit = unit;
    this.#doneBefore = done;
    this.#more = more;
  }

  skip(count: number): void {
    this.done += count;
    this.#doneBefore += count;
  }

  /** Returns text like `120 of 8091 photos, 53 a second, 2 min left`. */
  describe(): string {
    const seconds = Math.max(Date.now() - this.#begunMs, 1) / 1000;
    const rate = (this.done - this.#doneBefore) / seconds;
    const more = this.#more();
    const count = `${this.done} of ${this.total} ${this.#unit}${more === "" ? "" : `, ${more}`}`;
    if (rate === 0) return count;
    const left = this.total - this.done;
    return `${count}, ${describeRate(rate)}, ${left > 0 ? `${describeDuration(left / rate)} left` : `in ${describeDuration(seconds)}`}`;
  }
}

function describeRate(rate: number): string {
  return rate >= 1
    ? `${rate >= 10 ? Math.round(rate) : rate.toFixed(1)} a second`
    : `${(60 * rate).toFixed(1)} a minute`;
}

function describeDuration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Shows a line that counts the seconds on a terminal. Returns a function that removes it. */
export function showSpinner(what: string): () => void {
  if (!process.stderr.isTTY) return () => {};
  const begun = Date.now();
  const show = () => process.stderr.write(`\r${terminalText(what)} ${Math.round((Date.now() - begun) / 1000)} s`);
  show();
  const timer = setInterval(show, 1000);
  return () => {
    clearInterval(timer);
    process.stderr.write("\r\x1b[K");
  };
}
