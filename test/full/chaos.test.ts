import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { describe, expect, test, vi } from "vitest";
import type { Fault } from "../endurance/chaos/fault.ts";
import { moveClock } from "../endurance/chaos/faults/clock.ts";
import { stopService } from "../endurance/chaos/faults/service.ts";
import { tryFault } from "../endurance/chaos/try-fault.ts";
import { PhotoSupply } from "../endurance/load/photo-supply.ts";
import { tinyBundle } from "../fixtures/bundles.ts";
import { aliveOf, childrenOf, descendantsOf } from "../support/process-table.ts";
import { runNode } from "../support/run-node.ts";

const command = ["--import", "tsx", "test/endurance/chaos.ts", "--tiny"];

const chaos = (...args: string[]) => runNode([...command, ...args]);

const perSecond = { known: 5, new: 5 };

const foldersLeft = async () => (await readdir(tmpdir())).filter((name) => name.startsWith("chaos-"));

describe("npm run chaos", { timeout: 90_000 }, () => {
  test("finds every promise kept when the engine is killed under load", async () => {
    const { code, stdout, stderr } = await chaos("kill-engine");

    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^\| `kill-engine` \|.*\| (\d+) of \1 \| (\d+) of \2 \| – \| 0 \| \d\.\d s \| yes \|$/m);
    expect(stdout).not.toContain("broken");
  });

  test("notices a promise that is not kept", async () => {
    const { signal } = new AbortController();
    const trial = { modelDir: tinyBundle, supply: await PhotoSupply.of(2), perSecond, signal };
    const outcome = await tryFault({ ...moveClock, mayRefuse: [] }, trial);

    expect(outcome.broken).toEqual([expect.stringMatching(/^refused with upstream_error/)]);
    expect(outcome.known.answered).toBe(outcome.known.sent);
    expect(outcome.new.refused).toMatchObject({ upstream_error: expect.any(Number) });
    expect(outcome.recovery).toBeGreaterThan(0);
  });

  test("leaves no process and no file when it is aborted while the service is stopped", async () => {
    const before = await foldersLeft();
    const ending = new AbortController();
    const processes: number[] = [];
    const stopForGood: Fault = {
      ...stopService,
      async run({ deployment, hold }) {
        processes.push(deployment.service.kept.pid, ...descendantsOf(deployment.service.kept.pid));
        deployment.service.kept.signal("SIGSTOP");
        ending.abort();
        await hold(10);
      },
    };
    const trial = { modelDir: tinyBundle, supply: await PhotoSupply.of(2), perSecond, signal: ending.signal };

    await expect(tryFault(stopForGood, trial)).rejects.toThrow(/abort/);
    expect(processes.length).toBeGreaterThan(1);
    await vi.waitFor(() => expect(aliveOf(processes)).toEqual([]), 5_000); // an engine ends when it hears that its service has
    expect(await foldersLeft()).toEqual(before);
  });

  test("leaves no process and no file when it is interrupted", async () => {
    const before = await foldersLeft();
    const run = spawn(process.execPath, [...command, "kill-engine"], { stdio: "ignore" });
    const exited = once(run, "exit");
    const processes = await vi.waitUntil(() => startedBy(run.pid ?? 0), { timeout: 40_000, interval: 50 });
    run.kill("SIGINT");

    expect(await exited).toEqual([130, null]);
    await vi.waitFor(() => expect(aliveOf(processes)).toEqual([]), 5000);
    expect(await foldersLeft()).toEqual(before);
  });

  test("refuses a fault that there is not, naming those there are", async () => {
    const { code, stderr } = await chaos("kill-everything");

    expect(stderr).toMatch(/Allowed choices are kill-engine, .*silence-link/);
    expect(code).toBe(2);
  });
});

/** All that a run has started, as soon as service and edge are started. */
function startedBy(pid: number): number[] | undefined {
  return childrenOf(pid).length < 2 ? undefined : descendantsOf(pid);
}
