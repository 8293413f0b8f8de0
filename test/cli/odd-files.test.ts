import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { isRunning } from "../../files/lock-file.ts";
import { temporaryFolder, tinyBundle } from "../fixtures/bundles.ts";
import { madePhotos } from "../fixtures/made-images.ts";
import { isImmutableKnown, isProgramThere } from "../fixtures/programs.ts";
import { captionTiny, commandLine, edgeCaptionIn } from "./run-command.ts";

const run = promisify(execFile);
const isPipeMade = isProgramThere("mkfifo");

async function folderWith(...names: string[]): Promise<string> {
  const folder = await temporaryFolder();
  const photos = await madePhotos(names.length, { width: 60, height: 40 });
  for (const [index, name] of names.entries()) await writeFile(join(folder, name), photos[index] ?? "");
  return folder;
}

function makePipe(path: string): void {
  execFileSync("mkfifo", [path]);
}

const oddThings: [what: string, make: (path: string) => unknown, reason: string][] = [
  ["a folder", (path) => mkdir(path), "it is a folder, expected a file"],
  ["a named pipe", makePipe, "it is a named pipe, expected a file"],
  ["a link to a device without an end", (path) => symlink("/dev/zero", path), "it is a link, expected a file"],
  ["a link that leads nowhere", (path) => symlink("../outside", path), "it is a link, expected a file"],
];

test.skipIf(!isPipeMade)(
  "what is no file in the place of a sidecar fails that photo, and the others go on (needs mkfifo)",
  async () => {
    const folder = await folderWith("0.jpg", "1.jpg", "2.jpg", "3.jpg", "4.jpg");
    for (const [index, [, make]] of oddThings.entries()) {
      await make(join(folder, index % 2 === 0 ? `${index}.txt` : `${index}.jpg.xmp`));
    }
    const { code, stderr } = await captionTiny(folder, ".", "--txt", "--xmp");
    expect(code).toBe(1);
    for (const [index, [, , reason]] of oddThings.entries()) {
      expect(stderr).toContain(`${index}.jpg: ${index % 2 === 0 ? `${index}.txt` : `${index}.jpg.xmp`}: ${reason}\n`);
    }
    expect(stderr).toMatch(/\n1 captioned, 4 failed\n$/);
    expect(await readdir(folder)).toEqual(expect.arrayContaining(["1.txt", "3.txt", "4.txt", "4.jpg.xmp"]));
  },
);

test("a link where a cleared caption's sidecar was fails that photo, stays, and the others are cleared", async () => {
  const folder = await folderWith("a.jpg", "b.jpg", "c.jpg");
  await captionTiny(folder, ".", "--txt", "--xmp", "--csv", "a.csv");
  for (const name of ["a.txt", "b.jpg.xmp"]) {
    await rename(join(folder, name), join(folder, `real-${name}`));
    await symlink(`real-${name}`, join(folder, name));
  }
  await writeFile(join(folder, "a.csv"), "path,caption\na.jpg,\nb.jpg,\nc.jpg,\n");
  const { code, stderr } = await edgeCaptionIn(folder, "apply", "a.csv", "--txt", "--xmp");
  expect(code).toBe(1);
  expect(stderr).toContain("a.jpg: a.txt: it is a link, expected a file\n");
  expect(stderr).toContain("b.jpg: b.jpg.xmp: it is a link, expected a file\n");
  expect(stderr).toMatch(/\n1 cleared, 2 failed\n$/);
  const names = (await readdir(folder)).filter((name) => /txt|xmp/.test(name));
  expect(names).toEqual(["a.jpg.xmp", "a.txt", "b.jpg.xmp", "real-a.txt", "real-b.jpg.xmp"]);
});

test("a name too long for a sidecar fails its photo alone, and a sidecar that is somebody's book is kept", async () => {
  const long = `${"x".repeat(251)}.jpg`;
  const folder = await folderWith("a.jpg", "b.jpg", long);
  await writeFile(join(folder, "b.txt"), "Once upon a time");
  await truncate(join(folder, "b.txt"), 3 * 2 ** 30); // more than one string holds
  const { code, stderr } = await captionTiny(folder, ".", "--xmp", "--txt");
  expect(code).toBe(1);
  expect(stderr).toContain(`${long}: ${long}.xmp: the name is longer than the disk allows\n`);
  expect(stderr).toMatch(/\n2 captioned, 1 failed; 1 kept what a person wrote\n$/);
  expect(await readdir(folder)).toEqual(expect.arrayContaining(["a.txt", "a.jpg.xmp", "b.jpg.xmp"]));
});

test.skipIf(!isImmutableKnown)(
  "a photo that may not be changed fails, and the others go on (needs chattr +i)",
  async () => {
    const folder = await folderWith("a.jpg", "b.jpg");
    await run("chattr", ["+i", join(folder, "a.jpg")]);
    onTestFinished(() => void execFileSync("chattr", ["-i", join(folder, "a.jpg")]));
    const { stderr } = await captionTiny(folder, ".", "--embed");
    expect(stderr).toContain(`a.jpg: ${join(folder, "a.jpg")}: permission denied\n`);
    expect(stderr).toMatch(/\n1 captioned, 1 failed\n$/);
    expect((await readdir(folder)).filter((name) => name.startsWith(".edge-caption-"))).toEqual([]);
  },
);

describe.skipIf(!isPipeMade)("in the place of the state or of its lock (needs mkfifo)", () => {
  test.each(oddThings)("%s ends the run with a sentence, and nothing is made elsewhere", async (_, make, reason) => {
    for (const name of [".edge-caption.jsonl", ".edge-caption.jsonl.lock"]) {
      const folder = await folderWith("a.jpg");
      await mkdir(join(folder, "photos"));
      await make(join(folder, name));
      const { code, stderr } = await captionTiny(folder, ".", "--txt");
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringContaining(`${join(folder, name)}: ${reason}`),
      });
      expect(existsSync(join(folder, "../outside"))).toBe(false);
      expect(existsSync(join(folder, "a.txt"))).toBe(false);
    }
  });
});

describe.skipIf(!isPipeMade)("into a pipe (needs mkfifo)", () => {
  test("outputs are written as captions come, to standard output, another descriptor or a device", async () => {
    const folder = await folderWith("a.jpg", "b.jpg");
    const command = [process.execPath, ...commandLine, "caption", "--model-dir", tinyBundle, "."];
    const outputs = ["--jsonl", "/dev/stdout", "--csv", "/dev/fd/3", "--html", "/dev/null"];
    const script = '{ "$@" 3>&1 >&4 | cat > table; } 4>&1 | cat > lines';
    await run("sh", ["-c", script, "sh", ...command, ...outputs], { cwd: folder });
    const lines = (await readFile(join(folder, "lines"), "utf8")).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).path)).toEqual(["a.jpg", "b.jpg"]);
    const rows = (await readFile(join(folder, "table"), "utf8")).split("\n");
    expect(rows.map((row) => row.split(",")[0])).toEqual(["path", "a.jpg", "b.jpg", ""]);
    expect(await readdir(folder)).toEqual([".edge-caption.jsonl", "a.jpg", "b.jpg", "lines", "table"]);
  });

  test("- gives the same as a file, for a table and for a page", async () => {
    const folder = await folderWith("a.jpg", "b.jpg", "c.jpg");
    const [table, page] = await Promise.all([
      captionTiny(folder, ".", "--csv", "-"),
      captionTiny(folder, ".", "--html", "-"),
    ]);
    await captionTiny(folder, ".", "--csv", "a.csv", "--html", "a.html");
    expect(`\uFEFF${table.stdout}`).toBe(await readFile(join(folder, "a.csv"), "utf8"));
    const cards = (text: string) => text.match(/data-path="[^"]*"/g);
    expect(cards(page.stdout)).toEqual(cards(await readFile(join(folder, "a.html"), "utf8")));
    expect(cards(page.stdout)).toHaveLength(3);
  });

  test("outputs wait for the reader of a named pipe", async () => {
    const folder = await folderWith("a.jpg", "b.jpg");
    makePipe(join(folder, "pipe"));
    const captioning = captionTiny(folder, ".", "--csv", "pipe");
    await setTimeout(500);
    const { stdout } = await run("cat", ["pipe"], { cwd: folder });
    expect((await captioning).code).toBe(0);
    expect(stdout.split("\n").map((line) => line.split(",")[0])).toEqual(["path", "a.jpg", "b.jpg", ""]);
    expect((await edgeCaptionIn(folder, "status")).stdout).toContain("of 2 photos captioned");
  });

  test.each(["SIGINT", "SIGTERM"] as const)("%s ends the wait for a reader that does not come", async (signal) => {
    const folder = await folderWith("a.jpg");
    makePipe(join(folder, "pipe"));
    const args = [...commandLine, "caption", "--model-dir", tinyBundle, ".", "--jsonl", "pipe"];
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    const exited = once(child, "exit");
    await once(child.stderr, "data"); // that it waits
    child.kill(signal);
    expect(await exited).toEqual([130, null]);
  });
});

test.skipIf(!isProgramThere("pgrep"))("a run that is killed leaves no ExifTool behind (needs pgrep)", async () => {
  const folder = await folderWith(...Array.from({ length: 40 }, (_, index) => `${index}.jpg`));
  const args = [...commandLine, "caption", "--model-dir", tinyBundle, ".", "--xmp"];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: "ignore" });
  const exited = once(child, "exit");
  const written = async () => (await readdir(folder)).some((name) => name.endsWith(".xmp"));
  while (child.exitCode === null && !(await written())) await setTimeout(5);
  const { stdout } = await run("pgrep", ["-P", String(child.pid), "-x", "perl"]);
  const relays = stdout.trim().split("\n");
  const tools = (await run("pgrep", ["-P", relays.join(",")])).stdout.trim().split("\n").map(Number);
  child.kill("SIGKILL");
  await exited;
  await vi.waitFor(() => expect(tools.filter(isRunning)).toEqual([]), { timeout: 20_000 });
});
