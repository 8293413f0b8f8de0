import { execFile } from "node:child_process";
import { copyFile, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { repository } from "../../scripts/repository.ts";
import { captionResultSchema } from "../../shared/contract.ts";
import { temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";
import { textFile } from "../fixtures/made-images.ts";
import { photoNames, photoPath, pizzaCaption, pizzaPath } from "../fixtures/real-photos.ts";
import { captionTiny, edgeCaption } from "./run-command.ts";

describe("edge-caption caption", () => {
  test("captions a photo with the shipped model", async () => {
    const { code, stdout } = await edgeCaption("caption", pizzaPath);
    expect(code).toBe(0);
    expect(stdout).toBe(`${pizzaCaption}\n`);
  });

  test("captions several photos in their order and reports those it cannot, with exit code 1", async () => {
    const folder = await temporaryFolder();
    const broken = join(folder, "broken.jpg");
    await writeFile(broken, textFile());
    const paths = [photoPath("coffee"), broken, join(folder, "none.jpg"), photoPath("rocket")];
    const { code, stdout, stderr } = await edgeCaption("caption", "--model-dir", tinyBundle, ...paths);
    expect(code).toBe(1);
    expect(stdout.split("\n").map((line) => line.split(": ")[0])).toEqual([paths[0], paths[3], ""]);
    expect(stderr.trim().split("\n")).toEqual([
      expect.stringContaining(`${broken}: expected a JPEG, PNG`),
      `${join(folder, "none.jpg")}: there is no such file or folder`,
    ]);
  });

  test("reports what is not a regular file or far too large, and continues", async () => {
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
      `${huge}: expected a photo of at most 2147483647 bytes, received 3221225472\n/dev/zero: it is a device, expected a photo\n`,
    );
  });

  test("ends in silence when nobody reads any further", async () => {
    const folder = await temporaryFolder();
    for (let index = 0; index < 30; index++) await copyFile(photoPath("coffee"), join(folder, `${index}.jpg`));
    const command = `"${process.execPath}" --import tsx cli/main.ts caption --model-dir "${tinyBundle}"`;
    const { stdout, stderr } = await promisify(execFile)("sh", ["-c", `${command} "${folder}" | head -n 1`], {
      cwd: repository,
    });
    expect(stdout).toMatch(/^.*0\.jpg: .*\n$/);
    expect(stderr).toBe("");
  });

  test("captions the photos of a list on standard input, including names that no line could hold", async () => {
    const folder = await temporaryFolder();
    const names = ["two\nlines.jpg", "it's 🐕.jpg"];
    for (const name of names) await copyFile(photoPath("coffee"), join(folder, name));
    const find = `find "${folder}" -type f -print0 | sort -z`;
    const command = `"${process.execPath}" --import tsx cli/main.ts caption --json --model-dir "${tinyBundle}" - -0`;
    const { stdout } = await promisify(execFile)("sh", ["-c", `${find} | ${command}`], { cwd: repository });
    const lines = stdout.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).path)).toEqual(names.toSorted().map((name) => join(folder, name)));
  });

  test("leaves out captions of low confidence, or marks them", async () => {
    const folder = await temporaryFolder();
    for (const name of photoNames) await copyFile(photoPath(name), join(folder, `${name}.jpg`));
    const { stdout } = await captionTiny(folder, ".", "--json");
    const confidences = stdout
      .trim()
      .split("\n")
      .map((line): number => JSON.parse(line).result.confidence);
    const limit = String(confidences.toSorted()[2]); // of four, two are below
    const out = await captionTiny(folder, ".", "--min-confidence", limit, "--jsonl", "out.jsonl");
    expect(out.stderr).toContain("2 captioned, 2 left out for their confidence");
    const marked = await captionTiny(folder, ".", "--min-confidence", limit, "--below", "mark");
    expect(marked.stdout.match(/ \(\?\)\n/g)).toHaveLength(2);
    await captionTiny(folder, ".", "--min-confidence", limit, "--below", "mark", "--jsonl", "out.jsonl", "--txt");
    const lines = (await readFile(join(folder, "out.jsonl"), "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ unsure }) => unsure)).toEqual([undefined, undefined, true, true]);
    expect(await readFile(join(folder, lines[2].path.replace(".jpg", ".txt")), "utf8")).toMatch(/ \(\?\)\n$/);
    await captionTiny(folder, ".", "--txt", "--state", join(folder, ".edge-caption.jsonl")); // the mark is ours, too
    expect(await readFile(join(folder, lines[2].path.replace(".jpg", ".txt")), "utf8")).not.toContain("(?)");
  });

  test("reports only failures with --quiet", async () => {
    const folder = await temporaryFolder();
    await copyFile(photoPath("coffee"), join(folder, "coffee.jpg"));
    await writeFile(join(folder, "broken.jpg"), textFile());
    const { code, stdout, stderr } = await captionTiny(folder, ".", "--txt", "--quiet");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^broken\.jpg: expected a JPEG.*\n$/);
  });

  test("prints JSON lines with the contract's result, or the error", async () => {
    const paths = [photoPath("astronaut"), "/nowhere.jpg"];
    const flags = ["--json", "--beam", "5", "--candidates", "4", "--model-dir", tinyBundle];
    const { stdout } = await edgeCaption("caption", ...flags, ...paths);
    const [first, second] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const result = captionResultSchema.omit({ id: true, contentId: true }).parse(first.result);
    expect(result.candidates).toHaveLength(4);
    expect(second).toEqual({ path: "/nowhere.jpg", error: "there is no such file or folder" });
  });

  test.each([
    [["caption"], "missing required argument 'paths'"],
    [["caption", "--beam", "0", "x.jpg"], "expected beam to be one whole number from 1 to 10"],
    [["caption", "--beam", "2", "--candidates", "3", "x.jpg"], "expected candidates to be at most beam"],
    [["caption", "--colour", "x.jpg"], "unknown option '--colour'"],
  ])("says what is wrong with %j and exits with 2", async (args, message) => {
    const { code, stderr } = await edgeCaption(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  test("names the bundle that it cannot open", async () => {
    const folder = await temporaryFolder();
    const { code, stderr } = await edgeCaption("caption", "--model-dir", folder, photoPath("coffee"));
    expect(code).toBe(1);
    expect(stderr).toBe(`${join(folder, "manifest.json")}: cannot be read (ENOENT)\n`);
  });
});
