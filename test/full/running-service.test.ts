import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test, vi } from "vitest";
import { tinyBundle } from "../fixtures/bundles.ts";
import { keepOutput } from "../support/kept-output.ts";
import { aliveOf, childrenOf, descendantsOf } from "../support/process-table.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));

/** Runs Node with TypeScript, the service on the tiny bundle; resolves when the service has started something itself. */
async function startProgram(...args: string[]) {
  const program = spawn(process.execPath, ["--import", "tsx", ...args], {
    cwd: repository,
    env: { ...process.env, MODEL_DIR: tinyBundle },
    stdio: ["pipe", "pipe", "pipe"],
  });
  keepOutput(program, "bench");
  const { pid = 0 } = program;
  await vi.waitUntil(() => childrenOf(pid).flatMap(childrenOf).length > 0, { timeout: 20_000, interval: 50 });
  const started = descendantsOf(pid);
  onTestFinished(() => {
    for (const one of aliveOf([pid, ...started])) process.kill(one, "SIGKILL");
  });
  return { program, started };
}

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("%s leaves nothing behind of a bench", async (signal) => {
  const { program, started } = await startProgram("bench/main.ts", "service-memory");
  program.kill(signal);
  await once(program, "exit");

  await vi.waitFor(() => expect(aliveOf(started)).toEqual([]), 5000);
});

test("a program that crashes leaves no service behind", async () => {
  const crash = `
    import { startService } from "./bench/running-service.ts";
    await startService();
    process.stdin.once("data", () => { throw new Error("it crashes"); });`;
  const { program, started } = await startProgram("--input-type=module", "--eval", crash);
  program.stdin.write("now");
  const [code] = await once(program, "exit");

  expect(code).toBe(1);
  await vi.waitFor(() => expect(aliveOf(started)).toEqual([]), 5000);
});
