import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Watchdog } from "../../../captioner/engines/watchdog.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watched(limitMs: number) {
  const [ping, onTimeout] = [vi.fn(), vi.fn()];
  return { watch: new Watchdog({ limitMs, ping, onTimeout }), ping, onTimeout };
}

test("tells of silence once, when it has lasted for longer than it may", () => {
  const { onTimeout } = watched(2000);
  vi.advanceTimersByTime(2000);
  expect(onTimeout).not.toHaveBeenCalled();
  vi.advanceTimersByTime(5000);
  expect(onTimeout).toHaveBeenCalledOnce();
});

test("asks all the while, and begins anew whenever something is heard", () => {
  const { watch, ping, onTimeout } = watched(1000);
  for (let second = 0; second < 10; second++) {
    vi.advanceTimersByTime(1000);
    watch.reset();
  }
  expect(ping).toHaveBeenCalledTimes(20);
  expect(onTimeout).not.toHaveBeenCalled();
});

test("takes a long stop of its own for no silence of the other's", () => {
  const { onTimeout } = watched(2000);
  vi.setSystemTime(Date.now() + 3_600_000); // the clock went on, the timer did not
  vi.advanceTimersByTime(500);
  expect(onTimeout).not.toHaveBeenCalled();
});

test("is silent itself once it is stopped", () => {
  const { watch, ping, onTimeout } = watched(1000);
  watch.stop();
  vi.advanceTimersByTime(10_000);
  expect(ping).not.toHaveBeenCalled();
  expect(onTimeout).not.toHaveBeenCalled();
});
