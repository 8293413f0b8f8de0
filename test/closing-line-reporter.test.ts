import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { secretMark } from "./support/leaks.ts";

const repository = fileURLToPath(new URL("..", import.meta.url));

test("ends a run with how many tests passed, failed and were skipped", async () => {
  const { closingLines, code } = await runVitest(`
    test("holds", () => {});
    test("holds too", () => {});
    test("breaks", () => { throw new Error("on purpose"); });
    test.skip("waits", () => {});
  `);

  expect(closingLines).toEqual([
    "failed: some.test.ts > breaks: on purpose",
    "skipped: some.test.ts > waits",
    "2 passed, 1 failed, 1 skipped",
  ]);
  expect(code).toBe(1);
});

test("counts a file that does not load as a failure", async () => {
  const { closingLines, code } = await runVitest('throw new Error("on purpose");');

  expect(closingLines).toEqual(["failed: some.test.ts: on purpose", "0 passed, 1 failed, 0 skipped"]);
  expect(code).toBe(1);
});

test.each(["afterAll", "beforeAll"])("counts it as a failure that %s fails", async (hook) => {
  const { closingLines, code } = await runVitest(`
    import { ${hook}, describe } from "vitest";
    describe("of a kind", () => {
      ${hook}(() => { throw new Error("on purpose"); });
      test("holds", () => {});
    });
  `);

  expect(closingLines.at(-1)).toMatch(/ 1 failed, /);
  expect(code).toBe(1);
});

test("lets a test be skipped where nobody said that this is a build server", async () => {
  const { closingLines, code } = await runVitest('test("holds", () => {}); test.skip("waits", () => {});');

  expect(closingLines.at(-1)).toBe("1 passed, 0 failed, 1 skipped");
  expect(code).toBe(0);
});

test("fails a build whose test is skipped without a need that is not met", async () => {
  const { closingLines, code } = await runVitest('test("holds", () => {}); test.skip("waits", () => {});', {
    CI: "true",
  });

  expect(closingLines).toEqual(["failed: some.test.ts > waits", "1 passed, 1 failed, 0 skipped"]);
  expect(code).toBe(1);
});

test.each([
  ["a program of a test writes a secret", `process.stderr.write("signed with ${secretMark}")`, "a secret"],
  [
    "a program of a test writes a photo",
    'process.stdout.write(Buffer.from("iVBORw0KGgoA", "base64"))',
    "a photo's bytes",
  ],
])("counts it as a failure that %s", async (_, program, what) => {
  const { closingLines, code } = await runVitest(`
    import { spawn } from "node:child_process";
    import { once } from "node:events";
    import { keepOutput } from "${join(repository, "test/support/kept-output.ts")}";
    test("holds", async () => {
      const child = spawn(process.execPath, ["-e", ${JSON.stringify(program)}]);
      keepOutput(child, "program");
      await once(child, "close");
    });
  `);

  expect(closingLines.slice(-2)).toEqual([
    expect.stringMatching(new RegExp(`^leaked: .+program-\\d+\\.log holds ${what}$`)),
    "1 passed, 1 failed, 0 skipped",
  ]);
  expect(code).toBe(1);
});

test.each(["stdout", "stderr"])("counts it as a failure that a server writes a secret to its %s", async (stream) => {
  const { closingLines, code } = await runVitest(`
    import { ProcessGroup } from "${join(repository, "scripts/start/process-group.ts")}";
    import { keepOutput } from "${join(repository, "test/support/kept-output.ts")}";
    test("holds", async () => {
      const args = ["-e", ${JSON.stringify(`process.${stream}.write("signed with ${secretMark}")`)}];
      await new ProcessGroup({ name: "the service", args, environment: {}, listen: keepOutput }).died;
    });
  `);

  expect(closingLines.slice(-2)).toEqual([
    expect.stringMatching(/^leaked: .+the-service-\d+\.log holds a secret$/),
    "1 passed, 1 failed, 0 skipped",
  ]);
  expect(code).toBe(1);
});

test("counts it as a failure that a test's console shows an API key", async () => {
  const { closingLines, code } = await runVitest(
    'test("holds", () => console.warn(JSON.stringify({ key: "ec_" + "0".repeat(64) })));',
  );

  expect(closingLines.at(-2)).toMatch(/^leaked: .+ holds an API key$/);
  expect(code).toBe(1);
});

/** Runs Vitest itself, with the reporter, on one test file. */
async function runVitest(tests: string, environment: { CI?: string } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "reporter-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await symlink(join(repository, "node_modules"), join(folder, "node_modules"));
  await writeFile(join(folder, "some.test.ts"), `import { test } from "vitest";\n${tests}`);
  const vitest = spawn(
    process.execPath,
    [
      join(repository, "node_modules/vitest/vitest.mjs"),
      ...["run", "--reporter", join(repository, "test/support/closing-line-reporter.ts")],
    ],
    {
      cwd: folder,
      env: { PATH: process.env.PATH, TMPDIR: folder, ...environment },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const [output, [code]] = await Promise.all([text(vitest.stdout), once(vitest, "exit")]);
  return {
    closingLines: output
      .trim()
      .split("\n")
      .filter((line) => line !== ""),
    code,
  };
}
