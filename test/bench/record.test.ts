import { expect, test } from "vitest";
import { mergeResults } from "../../bench/record.ts";

const result = (name: string, number: number) => ({ name, about: "a ratio", number, ours: "1 ms", peer: "2 ms" });
const before = { machine: "an old machine", date: "2026-01-01" };
const now = { machine: "a new machine", date: "2026-02-02" };
const recorded = { ...before, results: [result("one", 1), result("two", 2), result("three", 3)] };

test("a bench that is run apart keeps its place, with its own machine and day", () => {
  const merged = mergeResults(recorded, { ...now, results: [result("two", 5), result("four", 6)], isWholeRun: false });
  expect(merged).toEqual({
    ...before,
    results: [
      result("one", 1),
      { ...result("two", 5), apart: now },
      result("three", 3),
      { ...result("four", 6), apart: now },
    ],
  });
});

test("a whole run replaces the record; what it passed over stays with the machine and day that it has", () => {
  const apart = { machine: "another machine", date: "2026-01-15" };
  const first = mergeResults(recorded, { ...apart, results: [result("three", 4)], isWholeRun: false });
  const merged = mergeResults(first, { ...now, results: [result("one", 7)], isWholeRun: true });
  expect(merged).toEqual({
    ...now,
    results: [result("one", 7), { ...result("two", 2), apart: before }, { ...result("three", 4), apart }],
  });
});
