import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { invocationFolder } from "../../terminal/command-line.ts";

const [, program = ""] = process.argv;

/** As npm starts a program in the package's folder, called from `/photos`. */
function startThroughNpm({ script, path }: { script: string; path: string }): void {
  process.argv[1] = join(process.cwd(), path);
  vi.stubEnv("npm_lifecycle_script", script);
  vi.stubEnv("INIT_CWD", "/photos");
}

afterEach(() => {
  process.argv[1] = program;
  vi.unstubAllEnvs();
});

test.each([
  { script: "exec node --import tsx cli/main.ts caption", path: "cli/main.ts" },
  { script: "exec node --import tsx scripts/tool.ts", path: "scripts/tool.ts" },
])("paths start from where npm was called, which runs $path", ({ script, path }) => {
  startThroughNpm({ script, path });

  expect(invocationFolder()).toBe("/photos");
});

test.each([
  { what: "a script that runs tests", script: "vitest run", path: "cli/main.ts" },
  { what: "a script of a package that we are installed in", script: "edge-caption caption photos", path: "main.js" },
])("paths start from the folder of the process under $what", ({ script, path }) => {
  startThroughNpm({ script, path });

  expect(invocationFolder()).toBe(process.cwd());
});

test("paths start from the folder of the process without npm", () => {
  vi.stubEnv("npm_lifecycle_script", undefined);
  vi.stubEnv("INIT_CWD", "/photos");

  expect(invocationFolder()).toBe(process.cwd());
});
