import { execFile } from "node:child_process";
import { copyFile, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";
import { photoPath } from "../fixtures/real-photos.ts";
import { builtProgram } from "../support/built-programs.ts";
import { captionTiny, commandLine, edgeCaption, edgeCaptionIn } from "./run-command.ts";

async function folderWithPhoto(): Promise<string> {
  const folder = await temporaryFolder();
  await copyFile(photoPath("coffee"), join(folder, "Kaffee (ä).jpg"));
  return folder;
}

describe("standard output", () => {
  test("has the caption also with --quiet", async () => {
    const folder = await folderWithPhoto();
    const { stdout, stderr } = await captionTiny(folder, "Kaffee (ä).jpg", "--quiet");
    expect(stdout).toMatch(/^\w[\w ]+\n$/);
    expect(stderr).toBe("");
  });

  test("takes the table, the lines and the gallery for -, and no file is made", async () => {
    const folder = await folderWithPhoto();
    const [table, lines, page] = await Promise.all(
      ["--csv", "--jsonl", "--html"].map((flag) => captionTiny(folder, ".", flag, "-")),
    );
    expect(table?.stdout).toMatch(/^path,caption,confidence,.*\nKaffee \(ä\)\.jpg,\w[\w ]+,0\.\d+,,content:/);
    expect(JSON.parse(lines?.stdout ?? "")).toMatchObject({ path: "Kaffee (ä).jpg" });
    expect(page?.stdout).toMatch(/^<!doctype html>[\s\S]*<img src="data:image\/webp;base64,[\s\S]*<\/html>\n$/);
    expect(await readdir(folder)).toEqual(["Kaffee (ä).jpg"]);
  });

  test("has a byte order mark if it is a file, which Excel may open", async () => {
    const folder = await folderWithPhoto();
    const command = [process.execPath, ...commandLine, "caption", "--model-dir", tinyBundle, "Kaffee (ä).jpg"];
    const quoted = command.map((part) => `'${part}'`).join(" ");
    const out = join(await temporaryFolder(), "t.csv");
    await promisify(execFile)("sh", ["-c", `${quoted} --csv - > '${out}'`], { cwd: folder });
    expect(await readFile(out, "utf8")).toMatch(/^\uFEFFpath,caption/);
  });

  test("takes one output", async () => {
    const folder = await folderWithPhoto();
    expect(await captionTiny(folder, ".", "--csv", "-", "--json")).toMatchObject({
      code: 2,
      stderr: "error: expected at most one output on standard output, received --csv - and --json\n",
    });
  });

  test.each([
    ["standard output, by another name", ["--csv", "-", "--jsonl", "/dev/stdout"], "| cat"],
    ["standard output, by other names alone", ["--html", "/dev/fd/1", "--jsonl", "/proc/self/fd/1"], "| cat"],
    ["standard output, by another descriptor", ["--json", "--csv", "/dev/fd/3"], "3>&1 | cat"],
    ["the file behind standard output", ["--json", "--csv", "out"], "> out"],
    ["a file by two paths", ["--csv", "out", "--jsonl", "folder/../out"], ""],
    ["a file by a link", ["--csv", "link", "--jsonl", "there"], ""],
    ["the state", ["--jsonl", ".edge-caption.jsonl"], ""],
  ])("and no two outputs share %s", async (_, outputs, rest) => {
    const folder = await folderWithPhoto();
    await writeFile(join(folder, "there"), "");
    await symlink("there", join(folder, "link"));
    const command = [process.execPath, ...commandLine, "caption", "--model-dir", tinyBundle, ".", ...outputs];
    const script = `{ "$@"; echo "code $?" >&2; } ${rest}`;
    const { stderr } = await promisify(execFile)("sh", ["-c", script, "sh", ...command], { cwd: folder });
    expect(stderr).toMatch(
      /^error: expected at most one output (on standard output|in one file), received --.* and --.*\ncode 2\n$/,
    );
    expect(await readFile(join(folder, "there"), "utf8")).toBe("");
  });

  test("may be a device that keeps nothing, for several outputs", async () => {
    const folder = await folderWithPhoto();
    const command = [process.execPath, ...commandLine, "caption", "--model-dir", tinyBundle, "."];
    const script = '"$@" --csv - --jsonl /dev/null --html /dev/null > /dev/null';
    await promisify(execFile)("sh", ["-c", script, "sh", ...command], { cwd: folder });
    expect(await readdir(folder)).toContain(".edge-caption.jsonl");
  });
});

test("photos without a command are captioned, and a mistyped command is refused", async () => {
  const folder = await folderWithPhoto();
  const { stdout, code } = await edgeCaptionIn(folder, "Kaffee (ä).jpg", "--model-dir", tinyBundle);
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^\w[\w ]+\n$/) });
  expect(await edgeCaptionIn(folder, "statsu")).toMatchObject({
    code: 2,
    stderr: "error: statsu is neither a command (caption, status, apply, join, jobs) nor a file or folder\n",
  });
});

test("--version is the package's", async () => {
  const { version } = JSON.parse(await readFile(join(import.meta.dirname, "../../package.json"), "utf8"));
  expect(await edgeCaption("--version")).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
});

test("no program loads the SDK of S3 when it starts", async () => {
  const lib = join(builtProgram("edge-caption"), "..");
  const programs = (await readdir(lib)).filter((name) => name.endsWith(".js"));
  const texts = await Promise.all(programs.map((name) => readFile(join(lib, name), "utf8")));
  expect(texts.filter((text) => /^import [^;]*"@aws-sdk/m.test(text))).toEqual([]);
  expect(texts.filter((text) => text.includes('import("@aws-sdk/client-s3")'))).toHaveLength(1);
});
