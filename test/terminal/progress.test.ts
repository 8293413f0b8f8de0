import { expect, test, vi } from "vitest";
import { showProgress } from "../../terminal/progress.ts";
import { listen } from "../training/run-prepare.ts";

test("without a terminal, reports count, rate and time left every ten seconds", () => {
  vi.useFakeTimers();
  const heard = listen();
  const progress = showProgress("reading photos", { total: 1000, unit: "photos", done: 400 });
  for (let second = 1; second <= 20; second++) {
    vi.advanceTimersByTime(1000);
    progress.advance(25);
  }
  vi.advanceTimersByTime(5000);
  progress.advance(100);
  progress.end();
  vi.useRealTimers();
  expect(heard().split("\n")).toEqual([
    "reading photos: 650 of 1000 photos, 25 a second, 14 s left",
    "reading photos: 900 of 1000 photos, 25 a second, 4.0 s left",
    "reading photos: 1000 of 1000 photos, 24 a second, in 25 s",
    "",
  ]);
});

test("reports slow work per minute, and long work in hours", () => {
  vi.useFakeTimers();
  const heard = listen();
  const progress = showProgress("fitting", { total: 200, unit: "epochs" });
  vi.advanceTimersByTime(600_000);
  progress.advance(5);
  vi.useRealTimers();
  expect(heard()).toBe("fitting: 5 of 200 epochs, 0.5 a minute, 6 h 30 min left\n");
});

test("what took no work counts as done, but not for the rate", () => {
  vi.useFakeTimers();
  const heard = listen();
  const progress = showProgress("captioning", { total: 100, unit: "photos", more: () => "40 skipped" });
  progress.skip(40);
  vi.advanceTimersByTime(10_000);
  progress.advance(20);
  vi.useRealTimers();
  expect(heard()).toBe("captioning: 60 of 100 photos, 40 skipped, 2.0 a second, 20 s left\n");
});

test("the total may grow while more is found", () => {
  vi.useFakeTimers();
  const heard = listen();
  const progress = showProgress("captioning", { total: 10, unit: "photos" });
  progress.expect(100);
  vi.advanceTimersByTime(10_000);
  progress.advance(20);
  vi.useRealTimers();
  expect(heard()).toBe("captioning: 20 of 100 photos, 2.0 a second, 40 s left\n");
});
