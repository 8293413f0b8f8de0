import { expect, test } from "vitest";
import type { LoadRun } from "./load-generator.ts";
import { faultsOf } from "./report.ts";
import type { Shape } from "./shapes.ts";

const fresh: Shape = { name: "new", about: "", connections: 2, round: ["new"] };
const cached: Shape = { ...fresh, name: "cached", round: ["known"] };
const overload: Shape = { ...fresh, name: "overload", isTooMuch: true };

function run(changes: Partial<LoadRun>): LoadRun {
  const latencyMs = { p50: 1, p99: 2, max: 3 };
  return { shape: fresh, seconds: 5, answered: 10, hits: 0, refused: {}, lost: [], latencyMs, ...changes };
}

test("finds nothing wrong where all is answered, or where there is too much and some is refused for that", () => {
  expect(faultsOf(run({}))).toEqual([]);
  expect(faultsOf(run({ shape: cached, hits: 10 }))).toEqual([]);
  expect(faultsOf(run({ shape: overload, refused: { overloaded: 90 } }))).toEqual([]);
});

test.each([
  [{ answered: 0 }, "new: nothing was answered"],
  [{ lost: ["reset", "reset"] }, "new: 2 lost: reset"],
  [{ refused: { upstream_error: 1 } }, "new: refused with upstream_error"],
  [{ shape: overload, refused: { internal: 1 } }, "overload: refused with internal"],
  [{ refused: { overloaded: 1 } }, "new: refused what is not too much"],
  [{ shape: cached, hits: 7 }, "cached: 3 known photos not from the cache"],
])("says of %o what is wrong", (changes, sentence) => {
  expect(faultsOf(run(changes))).toContain(sentence);
});
