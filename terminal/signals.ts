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
