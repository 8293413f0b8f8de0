import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test, vi } from "vitest";
import { runChecks } from "../../scripts/smoke/run-checks.ts";
import { describeCaption } from "../../scripts/start/first-caption.ts";
import { isUnsafeForTerminal } from "../../shared/terminal-text.ts";

const hostile = "a\\b's\u001b[2J\neverything works\u009b31m\u202e.jpg";

test("npm start shows a strange photo's path and caption harmlessly, and a command that bash takes", async () => {
  const said = describeCaption({
    result: { caption: hostile, confidence: 0.5, model: { id: hostile, revision: "0123456789ab" } },
    ...{ isHit: false, headers: new Headers(), photo: { path: hostile, format: "jpeg" } },
    ...{ edge: "http://127.0.0.1:1", service: "http://127.0.0.1:2" },
  });
  for (const line of said.split("\n")) expect(isUnsafeForTerminal(line)).toBe(false);
  const argument = /--data-binary (.*) http/.exec(said)?.[1];
  const { stdout } = await promisify(execFile)("bash", ["-c", `LC_ALL=C.UTF-8; printf %s ${argument}`]);
  expect(stdout).toBe(`@${hostile}`);
});

test("npm run tool -- smoke shows what a deployment answers harmlessly", async () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  const checks = [
    { what: "a caption", run: async () => hostile },
    { what: "another", run: () => Promise.reject(new Error(hostile)) },
  ];
  expect(await runChecks(checks)).toBe(false);
  const lines = log.mock.calls.flatMap(([text]) => String(text).split("\n"));
  log.mockRestore();
  expect(lines.filter(isUnsafeForTerminal)).toEqual([]);
  expect(lines).not.toContain("everything works");
});
