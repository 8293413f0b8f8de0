import { Presets, SingleBar } from "cli-progress";
import { say } from "../../terminal/progress.ts";

export interface ByteProgress {
  add(bytes: number): void;
  end(): void;
}

/** Shows progress: a bar on a terminal, a plain line elsewhere. */
export function showByteProgress(what: string, { totalBytes }: { totalBytes: number }): ByteProgress {
  if (!process.stderr.isTTY) {
    say(totalBytes > 0 ? `${what}, ${describeBytes(totalBytes)}` : what);
    return { add() {}, end() {} };
  }
  const format = `${what} [{bar}] {percentage}% of ${describeBytes(totalBytes)}, {duration_formatted}`;
  const bar = new SingleBar({ format, stream: process.stderr, hideCursor: true }, Presets.shades_classic);
  bar.start(totalBytes, 0);
  return { add: (bytes) => bar.increment(bytes), end: () => bar.stop() };
}

/** Formats a size in the decimal units of package indexes. */
export function describeBytes(bytes: number): string {
  return bytes < 1e9 ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}
