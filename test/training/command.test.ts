import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../fixtures/bundles.ts";
import { makeFlickr8k } from "./made-dataset.ts";
import { train } from "./run-prepare.ts";

describe("npm run train", () => {
  test("explains each flag, with its default, and each stage", async () => {
    const { code, stdout } = await train("--help");
    expect(code).toBe(0);
    for (const flag of ["--data <place>", "--out <folder>", "--cleaning <name>", "--min-count <times>"]) {
      expect(stdout).toContain(flag);
    }
    expect(stdout).toMatch(/default:\s+"natural"/);
    expect(stdout).toMatch(/\(default: 10\)/);
    expect(stdout).toMatch(/prepare +reads captions/);
  });

  test("runs all stages, and passes over them the second time", async () => {
    const out = await temporaryFolder();
    const args = ["--data", await makeFlickr8k(), "--out", out, "--min-count", "2"];
    expect(await train(...args)).toMatchObject({ code: 0, stdout: expect.stringMatching(/training photos +1\n/) });
    expect(await train("prepare", ...args)).toEqual({
      code: 0,
      stdout: "",
      stderr: `prepare: up to date in ${join(out, "prepare")}\n`,
    });
  });

  test.each([
    [["--data", "a", "--out", "b", "--colour"], "unknown option '--colour'"],
    [["bake", "--data", "a", "--out", "b"], "Allowed choices are prepare, evaluate."],
    [["prepare", "more", "--data", "a", "--out", "b"], "too many arguments"],
    [["--out", "b"], "required option '--data <place>' not specified"],
    [["--data", "a"], "required option '--out <folder>' not specified"],
    [["--data", "a", "--out", "b", "--cleaning", "none"], "Allowed choices are tutorial, natural."],
    [["--data", "a", "--out", "b", "--min-count", "0"], "Expected a whole number from 1."],
    [["--data", "a", "--out", "b", "--min-count", "ten"], "Expected a whole number from 1."],
  ])("says what is wrong with %j and exits with 2", async (args, message) => {
    const { code, stderr } = await train(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  test("names the place where there is nothing, in one sentence", async () => {
    const folder = await temporaryFolder();
    const nothing = join(folder, "none");
    expect(await train("--data", nothing, "--out", folder)).toEqual({
      code: 1,
      stdout: "",
      stderr: `${nothing}: there is no such file or folder\n`,
    });
  });
});
