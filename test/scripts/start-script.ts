import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, vi } from "vitest";
import { keepOutput } from "../support/kept-output.ts";
import { aliveOf } from "../support/process-table.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const tinyBundle = join(repository, "test/fixtures/tiny-bundle");
const anyPorts = ["--port", "0", "--service-port", "0"];
const endLimitMs = 15_000;

export const direct = [process.execPath, "--import", "tsx", "scripts/start.ts"];
export const throughNpm = ["npm", "start", "--"];

export interface Run {
  process: ChildProcess;
  pid: number;
  stdout(): string;
  stderr(): string;
  exited: Promise<number | null>;
}

/** A folder for one test file's photos and the edge's cache. */
export class Workplace {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<Workplace> {
    return new Workplace(await mkdtemp(join(tmpdir(), "npm-start-")));
  }

  async write(name: string, bytes: Uint8Array): Promise<string> {
    const path = join(this.folder, name);
    await writeFile(path, bytes);
    return path;
  }

  /** Runs `npm start`, or the script behind it, on the tiny bundle and on free ports unless the arguments say otherwise. */
  start(args: string[], { command = direct, state = "state" }: { command?: string[]; state?: string } = {}): Run {
    const [program = "", ...programArgs] = command;
    const places = ["--model-dir", tinyBundle, "--state-dir", join(this.folder, state)];
    const child = spawn(program, [...programArgs, ...anyPorts, ...places, ...args], {
      cwd: repository,
      detached: true, // a group of its own, as a terminal gives to a command
      stdio: ["ignore", "pipe", "pipe"],
    });
    keepOutput(child, "start");
    const output = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk) => {
      output.stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      output.stderr += chunk;
    });
    return {
      process: child,
      pid: child.pid ?? 0,
      stdout: () => output.stdout,
      stderr: () => output.stderr,
      exited: once(child, "close").then(([code]) => code),
    };
  }

  /** A run that ends by itself. */
  async runToEnd(args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const run = this.start(args);
    const code = await run.exited;
    return { code, stdout: run.stdout(), stderr: run.stderr() };
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}

/** Resolves when the run has captioned its photo and stays up. */
export async function untilUp(run: Run): Promise<void> {
  await vi.waitFor(() => expect(run.stdout()).toContain("Ctrl-C ends both."), { timeout: 40_000, interval: 50 });
}

/** Expects the run to end soon, and every one of the processes with it. */
export async function expectEnded(
  run: Run,
  { processes, limitMs = endLimitMs }: { processes: number[]; limitMs?: number },
): Promise<void> {
  await vi.waitFor(() => expect(aliveOf([run.pid, ...processes])).toEqual([]), { timeout: limitMs, interval: 50 });
}
