import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repository } from "../../scripts/repository.ts";
import { tools } from "../../scripts/tools.ts";
import { runNode } from "../support/run-node.ts";

const runTool = (...args: string[]) => runNode(["--import", "tsx", "scripts/tool.ts", ...args]);

test("every tool is a file that exists", () => {
  const missing = Object.values(tools).filter(({ path }) => !existsSync(join(repository, path)));
  expect(missing).toEqual([]);
});

test.concurrent("without a name lists all tools", async () => {
  const { stdout, code } = await runTool();
  expect(code).toBe(0);
  for (const name of Object.keys(tools)) expect(stdout).toContain(`  ${name} `);
});

test.concurrent("refuses a name that is no tool's with exit code 2", async () => {
  const { stderr, code } = await runTool("toString");
  expect(code).toBe(2);
  expect(stderr).toContain('expected the name of a tool, received "toString"');
});

test.concurrent("passes arguments on, and the tool's exit code back", async () => {
  const help = await runTool("scaling", "--help");
  expect(help.stdout).toContain("Usage: npm run tool -- scaling");
  expect((await runTool("scaling", "--no-such-flag")).code).toBe(2);
});
