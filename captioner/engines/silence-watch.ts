const tickMs = 500;

interface SilenceSettings {
  /** How long silence may last. */
  limitMs: number;
  /** Called at each tick: asks something, so that there is something to be heard. */
  ask(): void;
  /** Called once, when it has been silent for too long. */
  onSilence(): void;
}

/**
 * Watches for a sign of life. It counts ticks and reads no clock: whoever stops this process and the watched one
 * together finds both alive when they go on.
 */
export class SilenceWatch {
  readonly #timer: NodeJS.Timeout;
  #silentTicks = 0;

  constructor({ limitMs, ask, onSilence }: SilenceSettings) {
    this.#timer = setInterval(() => {
      this.#silentTicks += 1;
      if (this.#silentTicks * tickMs <= limitMs) return ask();
      this.stop();
      onSilence();
    }, tickMs).unref();
  }

  heard(): void {
    this.#silentTicks = 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
