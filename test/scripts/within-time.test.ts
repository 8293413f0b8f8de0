import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { withinTime } from "../../scripts/within-time.ts";

/** Work that ends with its signal and not before. */
async function waitForSignal(signal: AbortSignal): Promise<never> {
  await once(signal, "abort");
  throw signal.reason;
}

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}

test("ends work whose time is up, though garbage was collected in the meantime", async () => {
  const { signal } = new AbortController();
  const work = withinTime({ ms: 150, signal }, waitForSignal);
  const failure = expect(work).rejects.toMatchObject({ name: "TimeoutError", message: "not done within 150 ms" });
  await setTimeout(20);
  collectGarbage();

  await failure;
});

test("ends work at the signal, with its reason", async () => {
  const ending = new AbortController();
  const work = withinTime({ ms: 60_000, signal: ending.signal }, waitForSignal);
  ending.abort(new Error("interrupted"));

  await expect(work).rejects.toThrow("interrupted");
});

test("gives what came in time", async () => {
  const { signal } = new AbortController();

  expect(await withinTime({ ms: 60_000, signal }, async () => "done")).toBe("done");
});
