import { onTestFinished, vi } from "vitest";

/** Keeps what a setup says of its progress out of the test run's output. Returns a look at it. */
export function keepQuiet(): () => string {
  const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  onTestFinished(() => write.mockRestore());
  return () => write.mock.calls.map(([text]) => String(text)).join("");
}
