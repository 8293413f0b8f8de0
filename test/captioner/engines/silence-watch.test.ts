import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SilenceWatch } from "../../../captioner/engines/silence-watch.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watched(limitMs: number) {
  const [ask, onSilence] = [vi.fn(), vi.fn()];
  return { watch: new SilenceWatch({ limitMs, ask, onSilence }), ask, onSilence };
}

test("tells of silence once, when it has lasted for longer than it may", () => {
  const { onSilence } = watched(2000);
  vi.advanceTimersByTime(2000);
  expect(onSilence).not.toHaveBeenCalled();
  vi.advanceTimersByTime(5000);
  expect(onSilence).toHaveBeenCalledOnce();
});

test("asks all the while, and begins anew whenever something is heard", () => {
  const { watch, ask, onSilence } = watched(1000);
  for (let second = 0; second < 10; second++) {
    vi.advanceTimersByTime(1000);
    watch.heard();
  }
  expect(ask).toHaveBeenCalledTimes(20);
  expect(onSilence).not.toHaveBeenCalled();
});

test("takes a long stop of its own for no silence of the other's", () => {
  const { onSilence } = watched(2000);
  vi.setSystemTime(Date.now() + 3_600_000); // the clock went on, the timer did not
  vi.advanceTimersByTime(500);
  expect(onSilence).not.toHaveBeenCalled();
});

test("is silent itself once it is stopped", () => {
  const { watch, ask, onSilence } = watched(1000);
  watch.stop();
  vi.advanceTimersByTime(10_000);
  expect(ask).not.toHaveBeenCalled();
  expect(onSilence).not.toHaveBeenCalled();
});
