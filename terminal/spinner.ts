import { terminalText } from "../shared/terminal-text.ts";

/** On a terminal, a line that counts the seconds. Returns what takes it away again. */
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
