import { execFile } from "node:child_process";
import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { captionResultSchema } from "../../shared/contract.ts";
import { temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";
import { textFile } from "../fixtures/made-images.ts";
import { photoPath } from "../fixtures/real-photos.ts";

interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Runs the command as a person does, in a process of its own. */
function edgeCaption(...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    const command = [join(root, "node_modules/tsx/dist/cli.mjs"), join(root, "cli/main.ts"), ...args];
    execFile(process.execPath, command, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
    });
  });
}

describe("edge-caption caption", () => {
  it("captions a photo with the shipped model", async () => {
    const { code, stdout } = await edgeCaption("caption", photoPath("chelsea"));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^a [a-z ]*\b(dog|cat)\b[a-z ]*\n$/);
  });

  it("captions several photos in their order and reports those it cannot, with exit code 1", async () => {
    const folder = await temporaryFolder();
    const broken = join(folder, "broken.jpg");
    await writeFile(broken, textFile());
    const paths = [photoPath("coffee"), broken, join(folder, "none.jpg"), folder, photoPath("rocket")];
    const { code, stdout, stderr } = await edgeCaption("caption", "--model-dir", tinyBundle, ...paths);
    expect(code).toBe(1);
    expect(stdout.split("\n").map((line) => line.split(": ")[0])).toEqual([paths[0], paths[4], ""]);
    expect(stderr.trim().split("\n")).toEqual([
      expect.stringContaining(`${broken}: expected a JPEG, PNG`),
      `${join(folder, "none.jpg")}: there is no such file`,
      `${folder}: it is a folder, expected a photo`,
    ]);
  });

  it("reports what is no plain file or far too large, and goes on", async () => {
    const folder = await temporaryFolder();
    const huge = join(folder, "huge.jpg");
    await writeFile(huge, "");
    await truncate(huge, 3 * 1024 ** 3);
    const { code, stdout, stderr } = await edgeCaption(
      "caption",
      "--model-dir",
      tinyBundle,
      huge,
      "/dev/zero",
      photoPath("coffee"),
    );
    expect(code).toBe(1);
    expect(stdout).toMatch(/coffee\.jpg: \w/);
    expect(stderr).toBe(
      `${huge}: expected a photo of at most 1073741824 bytes, received 3221225472\n/dev/zero: it is no plain file, expected a photo\n`,
    );
  });

  it("ends in silence when nobody reads on", async () => {
    const command = `"${process.execPath}" --import tsx cli/main.ts caption --model-dir "${tinyBundle}"`;
    const photos = `"${photoPath("coffee")}" `.repeat(30);
    const { stdout, stderr } = await promisify(execFile)("sh", ["-c", `${command} ${photos} | head -n 1`], {
      cwd: root,
    });
    expect(stdout).toMatch(/^.*coffee\.jpg: .*\n$/);
    expect(stderr).toBe("");
  });

  it("gives JSON lines that hold the contract's result, or the error", async () => {
    const paths = [photoPath("astronaut"), "/nowhere.jpg"];
    const flags = ["--json", "--beam", "5", "--candidates", "4", "--model-dir", tinyBundle];
    const { stdout } = await edgeCaption("caption", ...flags, ...paths);
    const [first, second] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const result = captionResultSchema.omit({ id: true, contentId: true }).parse(first.result);
    expect(result.candidates).toHaveLength(4);
    expect(second).toEqual({ path: "/nowhere.jpg", error: "there is no such file" });
  });

  it.each([
    [["caption"], "missing required argument 'photos'"],
    [["caption", "--beam", "0", "x.jpg"], "expected beam to be one whole number from 1 to 10"],
    [["caption", "--beam", "2", "--candidates", "3", "x.jpg"], "expected candidates to be at most beam"],
    [["caption", "--colour", "x.jpg"], "unknown option '--colour'"],
  ])("says what is wrong with %j and exits with 2", async (args, message) => {
    const { code, stderr } = await edgeCaption(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  it("names the bundle that it cannot open", async () => {
    const folder = await temporaryFolder();
    const { code, stderr } = await edgeCaption("caption", "--model-dir", folder, photoPath("coffee"));
    expect(code).toBe(1);
    expect(stderr).toBe(`${join(folder, "manifest.json")}: cannot be read (ENOENT)\n`);
  });
});
