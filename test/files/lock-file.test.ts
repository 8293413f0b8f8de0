import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { lockFolder } from "../../files/lock-file.ts";
import { temporaryFolder } from "../fixtures/bundles.ts";

/** The id of a process that runs until the test has ended, or of one that has ended. */
async function processId({ isRunning }: { isRunning: boolean }): Promise<number> {
  const child = spawn(process.execPath, ["-e", isRunning ? "setInterval(() => {}, 1000)" : ""]);
  if (!isRunning) await once(child, "exit");
  onTestFinished(() => void child.kill("SIGKILL"));
  return child.pid ?? Number.NaN;
}

describe("the lock of a folder of results", () => {
  test("is there during a run, and gone after it", async () => {
    const out = join(await temporaryFolder(), "runs", "first"); // made if it is missing
    const unlock = await lockFolder(out, "run");
    expect(existsSync(join(out, "run.lock"))).toBe(true);
    await unlock();
    expect(existsSync(join(out, "run.lock"))).toBe(false);
  });

  test("keeps a second run out with a sentence that names the first", async () => {
    const out = await temporaryFolder();
    const pid = await processId({ isRunning: true });
    await writeFile(join(out, "run.lock"), JSON.stringify({ pid }));
    await expect(lockFolder(out, "run")).rejects.toThrow(`${out}: another run, process ${pid}, is writing there`);
    await (await lockFolder(out, "shard-1-of-3"))(); // which writes other files
    expect(existsSync(join(out, "run.lock"))).toBe(true);
  });

  test.each([
    ["whose process has ended", async () => JSON.stringify({ pid: await processId({ isRunning: false }) })],
    ["that a kill left empty", async () => ""],
  ])("of a run %s is taken over", async (_, contents) => {
    const out = await temporaryFolder();
    await writeFile(join(out, "run.lock"), await contents());
    await (await lockFolder(out, "run"))();
  });
});
