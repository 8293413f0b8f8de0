import { readdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { CommanderError } from "commander";
import { expect, test } from "vitest";
import { type EncoderRequest, encoderCommand } from "../../../scripts/encoder/command.ts";
import { temporaryFolder } from "../../fixtures/bundles.ts";
import { freePort } from "../../support/free-port.ts";
import { runNode } from "../../support/run-node.ts";

test("teaches with --help, the sizes included", async () => {
  const { code, stdout } = await run("--help");
  expect(stdout).toContain("npm run tool -- encoder --download --out runs/encoder");
  expect(stdout).toContain("npm run train -- --encoder runs/encoder");
  expect(stdout).toMatch(/23\s+MB/);
  expect(stdout).toMatch(/88\s+MB/);
  expect(code).toBe(0);
});

test("takes paths from where it was called", async () => {
  const asked: EncoderRequest[] = [];
  await encoderCommand(async (request) => void asked.push(request)).parseAsync(
    ["--weights", "w.h5", "--out", "encoder", "--uint8", "--licence", "MIT"],
    { from: "user" },
  );
  expect(asked).toMatchObject([
    { weightsPath: resolve("w.h5"), folder: resolve("encoder"), isQuantized: true, licence: "MIT" },
  ]);
});

test.each([
  [["--out", "a"], "expected --weights <file> or --download, received neither"],
  [["--weights", "w.h5"], "required option '--out <folder>' not specified"],
  [["--weights", "w.h5", "--download", "--out", "a"], "cannot be used with option"],
  [["--download", "--mirror", "ftp://keras", "--out", "a"], "Expected an address that begins with https://"],
  [["--weights", "w.h5", "--out", "a", "more"], "too many arguments"],
])("refuses %j", async (args, sentence) => {
  const complaints: string[] = [];
  const command = encoderCommand(() => Promise.reject(new Error("nothing was to be done")));
  command.configureOutput({ writeErr: (text) => complaints.push(text) });
  await expect(command.parseAsync(args, { from: "user" })).rejects.toBeInstanceOf(CommanderError);
  expect(complaints.join("")).toContain(sentence);
});

test("exits with 2 when it is used wrongly, with 1 and one sentence when the file or the network is no good", async () => {
  const folder = await temporaryFolder();
  const out = join(folder, "encoder");
  const page = join(folder, "page.h5");
  await writeFile(page, "<!doctype html>");
  const download = ["--download", "--mirror", `http://127.0.0.1:${await freePort()}`, "--cache", join(folder, "cache")];
  const [misused, wrong, refused] = await Promise.all([
    run("--out", out),
    run("--weights", page, "--out", out),
    run(...download, "--out", out),
  ]);

  expect(misused).toMatchObject({ code: 2, stdout: "" });
  expect(wrong).toEqual({
    code: 1,
    stdout: "",
    stderr: `reading ${page}\n${page}: expected an HDF5 file, found one that begins with "<!doctyp"\n`,
  });
  expect(refused.stderr).toMatch(/^http:.*cannot be reached \(.*\): fetch it elsewhere and pass it with --weights\n$/);
  expect(refused.code).toBe(1);
  expect(await readdir(folder)).toEqual(["cache", "page.h5"]);
});

function run(...args: string[]) {
  return runNode(["--import", "tsx", "scripts/encoder.ts", ...args]);
}
