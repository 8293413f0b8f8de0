import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { repository } from "./repository.ts";

interface WranglerAnswer {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Cloudflare's command line, for what it knows and for what it does. */
export interface Wrangler {
  /** Its answer, unseen. */
  ask(args: readonly string[]): Promise<WranglerAnswer>;
  /** Its exit code; what it says goes to the terminal. */
  act(args: readonly string[]): Promise<number | null>;
}

/** The one that this repository is fixed to. */
export const wranglerProgram = join(repository, "node_modules/.bin/wrangler");

/** wrangler, or the program that is named in its place. */
export function wranglerAt(program = wranglerProgram): Wrangler {
  // no questions: it would wait for an answer that never comes
  const env = { ...process.env, CI: "true", WRANGLER_SEND_METRICS: "false" };
  return {
    async ask(args) {
      const child = spawn(program, args, { cwd: repository, env, stdio: ["ignore", "pipe", "pipe"] });
      const [stdout, stderr, [code]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, "close"),
      ]);
      return { code, stdout, stderr };
    },
    async act(args) {
      const child = spawn(program, args, { cwd: repository, env, stdio: ["ignore", "inherit", "inherit"] });
      const [code] = await once(child, "close");
      return code;
    },
  };
}

/** wrangler's standard output; null if it is no JSON, since it failed or said something else. */
export function parseJsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
