import { createRequire } from "node:module";
import { dirname, sep } from "node:path";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { expect, test } from "vitest";
import { weightNames } from "../../../training/fit/merge-model.ts";
import { largestDifference } from "../../fixtures/vectors.ts";
import { expandedPrefixes, teacherForcing } from "./expanded-prefixes.ts";
import { tinyValues } from "./tiny-merge-model.ts";

setWasmPaths(dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm")) + sep);

test.each([
  ["cpu", 0],
  ["cpu", 0.1],
  ["wasm", 0],
  ["wasm", 0.1],
])(
  "on the %s backend loss and gradients are those of the tutorial's expanded prefixes, with label smoothing %d",
  async (backend, labelSmoothing) => {
    const values = tinyValues();
    const expected = await expandedPrefixes(values, labelSmoothing);
    const found = await teacherForcing(values, { backend, labelSmoothing });
    expect(found.loss).toBeCloseTo(expected.loss, 5);
    for (const name of weightNames) {
      const [own, theirs] = [found.gradients[name], expected.gradients[name]];
      expect(Math.max(...theirs.map(Math.abs)), name).toBeGreaterThan(1e-3); // there is something to compare
      expect(largestDifference(own, theirs), name).toBeLessThan(1e-5);
    }
  },
);
