import { expect, test } from "vitest";
import type { FaultResult } from "../../../scripts/docs/results.ts";
import { rowsInOrder } from "./report.ts";

test("what one run has found takes the place of its earlier rows alone, in the order of the faults", () => {
  const tally = { sent: 1, answered: 1, refused: {}, lost: 0, cutOff: 0 };
  const rowOf = (name: string, promise: string): FaultResult => ({
    ...{ name, promise, about: "", broken: [], recoverySeconds: 1 },
    ...{ known: tally, new: tally },
  });
  const earlier = ["kill-edge-in-job", "kill-engine", "a fault of long ago"].map((name) => rowOf(name, "earlier"));
  const rows = rowsInOrder([rowOf("restart-edge", "now"), rowOf("kill-edge-in-job", "now"), ...earlier]);
  expect(rows.map(({ name, promise }) => [name, promise])).toEqual([
    ["kill-engine", "earlier"],
    ["restart-edge", "now"],
    ["kill-edge-in-job", "now"],
  ]);
});
