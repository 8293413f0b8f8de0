const tickMs = 500;

interface WatchdogSettings {
  /** The longest allowed silence. */
  limitMs: number;
  /** Called at each tick, to provoke a sign of life. */
  ping(): void;
  /** Called once, when the silence exceeds the limit. */
  onTimeout(): void;
}

/**
 * Watches for signs of life. It counts ticks instead of reading a clock, so that suspending this process and the watched one
 * together does not count as silence.
 */
export class Watchdog {
  readonly #timer: NodeJS.Timeout;
  #silentTicks = 0;

  constructor({ limitMs, ping, onTimeout }: WatchdogSettings) {
    this.#timer = setInterval(() => {
      this.#silentTicks += 1;
      if (this.#silentTicks * tickMs <= limitMs) return ping();
      this.stop();
      onTimeout();
    }, tickMs).unref();
  }

  /** Records a sign of life. */
  reset(): void {
    this.#silentTicks = 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
