import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { everyByteIn } from "../support/every-byte.ts";

const run = promisify(execFile);
let stateDir = "";

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "keys-"));
});
afterAll(() => rm(stateDir, { recursive: true }));

function keys(...args: string[]) {
  return run(process.execPath, ["--import", "tsx", "scripts/keys.ts", ...args, "--state-dir", stateDir]);
}

test("a key is created, listed and revoked in this machine's KV, and only its hash is kept", async () => {
  const { stdout } = await keys("create", "--name", "Ada's importer", "--scope", "caption", "admin", "--tier", "high");
  expect(stdout).toMatch(/^ec_[0-9a-f]{64}\n$/);
  expect(await everyByteIn(stateDir)).toContain("Ada's importer");
  expect(await everyByteIn(stateDir)).not.toContain(stdout.trim().slice("ec_".length));
  const list = await keys("list");
  expect(list.stdout).toMatch(/^[0-9a-f]{12} {2}caption\+admin high {5}\d{4}-\d\d-\d\d {2}Ada's importer\n$/);
  expect(list.stdout).not.toContain(stdout.trim());
  const id = list.stdout.slice(0, 12);
  expect((await keys("revoke", id)).stderr).toContain(`revoked ${id}`);
  expect((await keys("list")).stdout).toBe("");
  await expect(keys("revoke", id)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining("list shows") });
});

test.each([
  [["create"], "--name"],
  [["create", "--name", ""], "1 to 100 characters"],
  [["create", "--name", "a", "--scope", "everything"], "Allowed choices are caption, admin"],
  [["revoke", "x"], "12 hexadecimal digits"],
])("wrong usage ends with 2 and says what is right: %j", async (args, words) => {
  await expect(keys(...args)).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining(words) });
});
