import * as z from "zod";
import { CaptionError } from "../../shared/errors.ts";
import { terminalLines, terminalText } from "../../shared/terminal-text.ts";

export interface Check {
  /** The request, and what is expected of it. */
  what: string;
  /** Throws what is wrong. What it returns is worth knowing. */
  run(): Promise<string>;
}

/** Runs checks one after the other, a line each. Returns whether all is as it should be. */
export async function runChecks(checks: readonly Check[]): Promise<boolean> {
  let wrong = 0;
  for (const [index, { what, run }] of checks.entries()) {
    const begunMs = performance.now();
    try {
      const told = await run();
      console.log(terminalText(`  ok     ${what}: ${told} (${Math.round(performance.now() - begunMs)} ms)`));
    } catch (error) {
      wrong += 1;
      console.log(terminalLines(`  wrong  ${what}: ${describe(error).replaceAll("\n", "\n         ")}`));
      if (index === 0) {
        console.log("nothing else was asked");
        return false;
      }
    }
  }
  console.log(wrong === 0 ? "everything works" : `${wrong} of ${checks.length} checks failed`);
  return wrong === 0;
}

function describe(error: unknown): string {
  if (error instanceof z.ZodError) return `the answer is not what the contract says: ${z.prettifyError(error)}`;
  if (!(error instanceof Error)) return String(error);
  const code = error instanceof CaptionError ? `${error.code}: ` : "";
  const requestId =
    error instanceof CaptionError && error.requestId !== undefined ? ` (request ${error.requestId})` : "";
  return `${code}${error.message}${requestId}`;
}
