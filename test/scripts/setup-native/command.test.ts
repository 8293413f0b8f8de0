import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../fixtures/bundles.ts";

const script = fileURLToPath(new URL("../../../scripts/setup-native.ts", import.meta.url));

test("teaches with --help", async () => {
  const { code, stdout } = await run(["--help"]);

  expect(stdout).toContain("npm run setup:native -- --gpu --with-cuda");
  expect(stdout).toContain("EDGE_CAPTION_CACHE");
  expect(code).toBe(0);
});

test.each([
  [["--gpu", "--cpu"], "cannot be used with option"],
  [["--cpu", "--with-cuda"], "cannot be used with option"],
  [["--classic", "--from", "x.whl"], "cannot be used with option"],
  [["--tensorflow", "2.20.0 --index-url x"], "Expected a version such as 2.20.0."],
])("refuses %o as wrong usage", async (args, sentence) => {
  const { code, stderr } = await run(args);

  expect(stderr).toContain(sentence);
  expect(code).toBe(2);
});

test("stops at an unknown version with one sentence", async () => {
  const { code, stderr } = await run(["--cpu", "--tensorflow", "9.9.9"]);

  expect(stderr).toBe(
    "expected TensorFlow 2.20.0, received 9.9.9, whose hash is not pinned: --unpinned accepts it unchecked\n",
  );
  expect(code).toBe(1);
});

test("stops where it cannot write with one sentence", async () => {
  const { code, stderr } = await run(["--cpu", "--cache", join(script, "cache")]);

  expect(stderr).toMatch(/^TensorFlow 2\.20\.0 for the CPU\n.*setup-native\.ts\/cache.*\n$/);
  expect(code).toBe(1);
});

async function run(args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const env = { ...process.env, EDGE_CAPTION_CACHE: await temporaryFolder() };
  const child = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), script, ...args], { env });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code, stdout, stderr };
}
