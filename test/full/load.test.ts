import { expect, test } from "vitest";
import { sides } from "../../scripts/docs/endurance-tables.ts";
import { withLoadTarget } from "../endurance/load/load-target.ts";
import { faultsOf } from "../endurance/load/report.ts";
import { soak } from "../endurance/load/soak.ts";
import { tinyBundle } from "../fixtures/bundles.ts";
import { keepOutput } from "../support/kept-output.ts";
import { runNode } from "../support/run-node.ts";

test("npm run tool -- load finds nothing wrong, whatever photos come and however many", {
  timeout: 120_000,
}, async () => {
  const command = ["--import", "tsx", "test/endurance/load.ts", "--tiny", "--seconds", "3"];
  const { code, stdout, stderr } = await runNode(command);

  expect(stdout).not.toContain("wrong");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^\| cached: .*\| 100 % \| – \| 0 \|$/m);
  expect(stdout).toMatch(/^\| new: .*\| 0 % \| – \| 0 \|$/m);
  expect(stdout).toMatch(/^\| mixed: .*\| 9\d % \| – \| 0 \|$/m);
  expect(stdout).toMatch(/^\| overload: .*\| 0 \|$/m);
});

test("a soak measures all three sides for as long as it lasts", { timeout: 120_000 }, async () => {
  const { signal } = new AbortController();
  const { run, samples } = await withLoadTarget({ modelDir: tinyBundle, signal, listen: keepOutput }, (stack) =>
    soak(stack, 0.05),
  );

  expect(faultsOf(run)).toEqual([]);
  expect(samples.length).toBeGreaterThan(5);
  expect(samples.at(-1)?.minute).toBeGreaterThan(0.04);
  for (const sample of samples) for (const { side } of sides) expect(sample[side]).toBeGreaterThan(20);
});
