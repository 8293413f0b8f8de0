import { expect, onTestFinished, test, vi } from "vitest";
import { KeptProcess } from "../../../scripts/chaos/kept-process.ts";
import { aliveOf } from "../../process-table.ts";

function keep(script: string): KeptProcess {
  const kept = new KeptProcess({ name: "the program", args: ["-e", script], environment: {} });
  onTestFinished(() => kept.stop());
  return kept;
}

test("starts a program again that was killed, and says what became of the one before", async () => {
  const kept = keep("setInterval(() => undefined, 1000)");
  const first = kept.pid;
  kept.signal("SIGKILL");
  await vi.waitFor(() => expect(kept.pid).not.toBe(first), { timeout: 5000 });

  expect(kept.endings).toEqual(["the program ended with SIGKILL: it did not say why"]);
  expect(aliveOf([first, kept.pid])).toEqual([kept.pid]);
});

test("starts nothing any more once it is stopped, though that is between two starts", async () => {
  const kept = keep("process.stderr.write('a byte is wrong'); process.exitCode = 1");
  await vi.waitFor(() => expect(kept.endings).toEqual(["the program ended with 1: a byte is wrong"]), {
    timeout: 5000,
  });
  await kept.stop();
  const { pid } = kept;
  await new Promise((resolve) => setTimeout(resolve, 1300));

  expect(kept.endings).toHaveLength(1);
  expect(kept.pid).toBe(pid);
});
