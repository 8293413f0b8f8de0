import { expect, onTestFinished, test, vi } from "vitest";
import { KeptProcess } from "../../../scripts/start/kept-process.ts";
import { aliveOf } from "../../support/process-table.ts";

const keeping = { pauseMs: () => 1000, maxEndsAtOnce: Number.POSITIVE_INFINITY };

function keep(script: string, changes: Partial<ConstructorParameters<typeof KeptProcess>[1]> = {}): KeptProcess {
  const program = { name: "the program", args: ["-e", script], environment: {} };
  const kept = new KeptProcess(program, { ...keeping, ...changes });
  onTestFinished(() => kept.stop());
  return kept;
}

test("starts a program again that was killed, and says what became of the one before", async () => {
  const onRestart = vi.fn();
  const kept = keep("setInterval(() => undefined, 1000)", { onRestart });
  const first = kept.pid;
  kept.signal("SIGKILL");
  await vi.waitFor(() => expect(kept.pid).not.toBe(first), { timeout: 5000 });

  const reason = "the program ended with SIGKILL: it did not say why";
  expect(kept.endings).toEqual([reason]);
  expect(onRestart.mock.calls).toEqual([[new Error(reason)]]);
  expect(aliveOf([first, kept.pid])).toEqual([kept.pid]);
});

test("gives a program up that ends at once again and again, after longer and longer pauses", async () => {
  const pauses: number[] = [];
  const onRestart = vi.fn();
  const pauseMs = (endsAtOnce: number) => {
    pauses.push(endsAtOnce);
    return 10 * 2 ** endsAtOnce;
  };
  const kept = keep("process.stderr.write('the port is taken'); process.exitCode = 1", {
    pauseMs,
    maxEndsAtOnce: 3,
    onRestart,
  });

  expect(await kept.givenUp).toEqual(new Error("the program ended with 1: the port is taken"));
  expect(kept.endings).toHaveLength(3);
  expect(pauses).toEqual([1, 2]);
  expect(onRestart).toHaveBeenCalledTimes(2);
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
